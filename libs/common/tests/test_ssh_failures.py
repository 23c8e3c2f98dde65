"""What went wrong is said in plain English, with what to look at."""

import asyncio
import errno
import socket
from collections.abc import Callable
from pathlib import Path

import asyncssh
import pytest

from spark_common.errors import HostUnreachableError, UnavailableError
from spark_common.remote import RemoteCommand
from spark_common.remote.ssh import SshShell
from spark_common.remote.ssh.failures import explain
from spark_common.settings import ClusterSettings, HostSettings
from spark_common.testing.sshd import LoopbackSshd

HOST = HostSettings(name="spark2", label="Spark 2", address="spark.example", user="alice")
TRUE = RemoteCommand(("true",))


@pytest.mark.parametrize(
    ("failure", "says"),
    [
        (socket.gaierror(-2, "unknown"), "the name of Spark 2 could not be resolved"),
        (OSError(errno.EHOSTUNREACH, "no route"), "there is no route to Spark 2"),
        (OSError(errno.ENETUNREACH, "no network"), "there is no route to Spark 2"),
        (TimeoutError(), "Spark 2 does not answer over SSH"),
        (ConnectionRefusedError(), "Spark 2 refuses SSH connections on port 22"),
        (ConnectionResetError(), "Spark 2 closed the SSH connection before"),
        (asyncssh.ConnectionLost("x"), "Spark 2 closed the SSH connection before"),
        (asyncssh.PermissionDenied("x"), "Spark 2 does not accept our key for user 'alice'"),
        (asyncssh.ProtocolError("x"), "Spark 2 does not speak SSH as we do"),
        (OSError(errno.EMFILE, "too many"), "Spark 2 cannot be reached over SSH: OSError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_every_failure_names_the_host_and_the_reason(failure: Exception, says: str) -> None:
    error = explain(failure, HOST, Path("/keys/id_ed25519"))
    assert error.message.startswith(says)
    assert error.details == {"host": "spark2"}
    assert error.retryable is True
    assert "Errno" not in error.message


@pytest.mark.connected
class TestOnTheWire:
    async def test_something_else_that_listens_there(
        self, connect: Callable[..., SshShell]
    ) -> None:
        async def web_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await reader.read(1)
            writer.close()

        server = await asyncio.start_server(web_server, "127.0.0.1", 0)
        async with server:
            with pytest.raises(HostUnreachableError, match="Spark 1"):
                await connect(server.sockets[0].getsockname()[1]).run("spark1", TRUE)

    async def test_a_host_that_lets_us_in_and_starts_nothing(
        self, sshd: LoopbackSshd, connect: Callable[..., SshShell]
    ) -> None:
        sshd.refuses_sessions = True
        shell = connect(sshd.port)
        with pytest.raises(HostUnreachableError, match="Spark 1 did not start a command"):
            await shell.run("spark1", TRUE)
        sshd.refuses_sessions = False
        assert (await shell.run("spark1", TRUE)).ok
        assert sshd.connections == 1

    async def test_a_damaged_known_hosts_file_is_named_and_kept(
        self,
        sshd: LoopbackSshd,
        connect: Callable[..., SshShell],
        cluster: Callable[[int], ClusterSettings],
    ) -> None:
        path = cluster(sshd.port).known_hosts_path
        path.write_text("garbage\n")
        with pytest.raises(UnavailableError, match=r"SSH_KNOWN_HOSTS.*not understood"):
            await connect(sshd.port).run("spark1", RemoteCommand(("touch", "reached")))
        assert path.read_text() == "garbage\n"
        assert list(sshd.home.iterdir()) == []

    async def test_a_known_hosts_file_that_cannot_be_written_lets_nobody_in(
        self,
        sshd: LoopbackSshd,
        connect: Callable[..., SshShell],
        cluster: Callable[[int], ClusterSettings],
    ) -> None:
        cluster(sshd.port).known_hosts_path.mkdir()
        with pytest.raises(UnavailableError, match="SSH_KNOWN_HOSTS"):
            await connect(sshd.port).run("spark1", RemoteCommand(("touch", "reached")))
        assert list(sshd.home.iterdir()) == []
