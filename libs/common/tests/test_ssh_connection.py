"""One connection per host: shared, remembered, kept alive, made anew, and never to a stranger."""

import asyncio
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncssh
import pytest
from structlog.testing import capture_logs

from spark_common.errors import HostKeyChangedError, HostUnreachableError, NotFoundError
from spark_common.remote import RemoteCommand
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.settings import ClusterSettings
from spark_common.testing import FakeClock
from spark_common.testing.proxy import TcpProxy
from spark_common.testing.sshd import LoopbackSshd
from spark_common.testing.wait import PATIENCE_SECONDS, until

pytestmark = pytest.mark.connected

TRUE = RemoteCommand(("true",))
HASTY = SshTimes(connect_seconds=0.5)
PATIENT = SshTimes(connect_seconds=PATIENCE_SECONDS)
WATCHFUL = SshTimes(keepalive_seconds=0.3, keepalive_count=3)


@pytest.fixture
async def proxy(sshd: LoopbackSshd) -> AsyncIterator[TcpProxy]:
    async with TcpProxy(sshd.port) as relay:
        yield relay


async def test_many_commands_share_one_connection_within_the_session_limit(
    sshd: LoopbackSshd, connect: Callable[..., SshShell]
) -> None:
    shell = connect(sshd.port)
    results = await asyncio.gather(
        *(shell.run("spark1", RemoteCommand(("echo", str(n)))) for n in range(60))
    )
    assert [result.stdout for result in results] == [f"{n}\n" for n in range(60)]
    assert sshd.connections == 1
    assert 1 < sshd.most_running <= 8


async def test_a_host_that_is_not_configured_is_not_found(
    sshd: LoopbackSshd, connect: Callable[..., SshShell]
) -> None:
    with pytest.raises(NotFoundError, match="spark7"):
        await connect(sshd.port).run("spark7", TRUE)


async def test_a_refused_connection_says_so_and_is_remembered(
    sshd: LoopbackSshd, connect: Callable[..., SshShell]
) -> None:
    clock = FakeClock()
    shell = connect(sshd.port, clock)
    await sshd.stop()
    with pytest.raises(HostUnreachableError, match="Spark 1 refuses SSH connections on port"):
        await shell.run("spark1", TRUE)

    with capture_logs() as logs:
        for _ in range(2):
            await clock.advance(26)
            with pytest.raises(HostUnreachableError):
                await shell.run("spark1", TRUE)
    # Whoever looks again and again says it once.
    assert [one["log_level"] for one in logs] == ["debug", "debug"]

    await sshd.start()
    await clock.advance(24)
    with pytest.raises(HostUnreachableError, match="connection refused"):
        await shell.run("spark1", TRUE)
    assert sshd.connections == 0

    await clock.advance(2)
    assert (await shell.run("spark1", TRUE)).ok


async def test_while_one_caller_probes_a_lost_host_the_others_do_not_wait(
    sshd: LoopbackSshd, proxy: TcpProxy, connect: Callable[..., SshShell]
) -> None:
    clock = FakeClock()
    shell = connect(proxy.port, clock, PATIENT)
    key = sshd.authorized
    sshd.authorized = asyncssh.generate_private_key("ssh-ed25519")
    with pytest.raises(HostUnreachableError, match="publickey"):
        await shell.run("spark1", TRUE)
    sshd.authorized = key
    await clock.advance(26)

    proxy.freeze()
    probe = asyncio.create_task(shell.run("spark1", TRUE))
    await until(lambda: len(proxy.connections) == 2, "the probe connects")
    with pytest.raises(HostUnreachableError, match="publickey"):
        await shell.run("spark1", TRUE)
    assert not probe.done()

    proxy.thaw()
    assert (await probe).ok


async def test_a_host_that_accepts_and_stays_silent_times_out(
    proxy: TcpProxy, connect: Callable[..., SshShell]
) -> None:
    proxy.freeze()
    with pytest.raises(HostUnreachableError, match=r"timed out.*SPARK1_HOST"):
        await connect(proxy.port, None, HASTY).run("spark1", TRUE)


async def test_callers_who_arrive_together_share_one_attempt(
    proxy: TcpProxy, connect: Callable[..., SshShell]
) -> None:
    proxy.freeze()
    shell = connect(proxy.port, None, HASTY)
    failures = await asyncio.gather(
        *(shell.run("spark1", TRUE) for _ in range(5)), return_exceptions=True
    )
    assert all(isinstance(failure, HostUnreachableError) for failure in failures)
    assert len(proxy.connections) == 1


async def test_a_caller_who_gives_up_leaves_the_attempt_to_the_others(
    sshd: LoopbackSshd, proxy: TcpProxy, connect: Callable[..., SshShell]
) -> None:
    proxy.freeze()
    shell = connect(proxy.port)
    impatient = asyncio.create_task(shell.run("spark1", TRUE))
    patient = asyncio.create_task(shell.run("spark1", TRUE))
    await until(lambda: len(proxy.connections) == 1, "the attempt has begun")
    impatient.cancel()
    await asyncio.wait({impatient})
    proxy.thaw()
    assert (await patient).ok
    assert sshd.connections == 1


async def test_a_key_the_host_does_not_know_says_what_to_do(
    sshd: LoopbackSshd, connect: Callable[..., SshShell]
) -> None:
    sshd.authorized = asyncssh.generate_private_key("ssh-ed25519")
    with pytest.raises(HostUnreachableError, match=r"publickey.*authorized_keys.*SPARK1_USER"):
        await connect(sshd.port).run("spark1", TRUE)


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot be read: No such file"), (b"not a key", "is not a private SSH key")],
)
async def test_an_unusable_key_file_is_named(
    content: bytes | None,
    says: str,
    key_path: Path,
    sshd: LoopbackSshd,
    connect: Callable[..., SshShell],
) -> None:
    key_path.unlink()
    if content is not None:
        key_path.write_bytes(content)
    with pytest.raises(HostUnreachableError, match=rf"SSH_KEY_PATH.*{says}"):
        await connect(sshd.port).run("spark1", TRUE)


async def test_a_key_with_a_passphrase_is_refused_with_the_reason(
    key_path: Path,
    ssh_key: asyncssh.SSHKey,
    sshd: LoopbackSshd,
    connect: Callable[..., SshShell],
) -> None:
    ssh_key.write_private_key(key_path, "pkcs8-pem", passphrase="hush")
    with pytest.raises(HostUnreachableError, match="passphrase"):
        await connect(sshd.port).run("spark1", TRUE)


async def test_a_connection_lost_while_idle_is_replaced_without_anybody_noticing(
    sshd: LoopbackSshd, proxy: TcpProxy, connect: Callable[..., SshShell]
) -> None:
    shell = connect(proxy.port)
    assert (await shell.run("spark1", TRUE)).ok
    proxy.cut()
    assert (await shell.run("spark1", TRUE)).ok
    assert sshd.connections == 2


async def test_a_connection_that_fell_silent_is_given_up_and_replaced(
    sshd: LoopbackSshd, proxy: TcpProxy, connect: Callable[..., SshShell]
) -> None:
    shell = connect(proxy.port, None, WATCHFUL)
    running = asyncio.create_task(shell.run("spark1", RemoteCommand(("sleep", "60"))))
    await until(lambda: sshd.running == 1, "the command runs")
    proxy.freeze()
    result = await running
    assert result.exit_code is None
    assert "connection to Spark 1 was lost" in result.stderr
    proxy.thaw()
    assert (await shell.run("spark1", TRUE)).ok


class TestHostKeys:
    async def test_the_key_of_a_new_host_is_remembered_for_us_only(
        self,
        sshd: LoopbackSshd,
        connect: Callable[..., SshShell],
        cluster: Callable[[int], ClusterSettings],
    ) -> None:
        assert (await connect(sshd.port).run("spark1", TRUE)).ok
        assert (await connect(sshd.port).run("spark1", TRUE)).ok
        path = cluster(sshd.port).known_hosts_path
        shown = sshd.host_key.export_public_key().decode().split()[:2]
        assert [line.split()[:3] for line in path.read_text().splitlines()] == [
            [f"[127.0.0.1]:{sshd.port}", *shown]
        ]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    @pytest.mark.parametrize("algorithm", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
    async def test_a_changed_key_is_refused_until_somebody_forgets_the_old_one(
        self,
        algorithm: str,
        sshd: LoopbackSshd,
        connect: Callable[..., SshShell],
        cluster: Callable[[int], ClusterSettings],
    ) -> None:
        clock = FakeClock()
        path = cluster(sshd.port).known_hosts_path
        assert (await connect(sshd.port).run("spark1", TRUE)).ok
        before = path.read_text()
        await sshd.stop()
        sshd.host_key = asyncssh.generate_private_key(algorithm)
        await sshd.start()

        shell = connect(sshd.port, clock)
        for _ in range(2):
            with pytest.raises(HostKeyChangedError) as refusal:
                await shell.run("spark1", RemoteCommand(("touch", "reached")))
        name = f"[127.0.0.1]:{sshd.port}"
        assert f"ssh-keygen -f {path} -R '{name}'" in refusal.value.message
        assert refusal.value.details["shown"] == sshd.host_key.get_fingerprint()
        assert refusal.value.retryable is False
        assert path.read_text() == before
        assert list(sshd.home.iterdir()) == []

        path.write_text("")
        assert (await shell.run("spark1", TRUE)).ok

    async def test_hosts_met_at_the_same_moment_are_each_remembered_once(
        self,
        sshd: LoopbackSshd,
        connect: Callable[..., SshShell],
        cluster: Callable[[int], ClusterSettings],
    ) -> None:
        path = cluster(sshd.port).known_hosts_path
        path.write_text("# written by hand, without a line end")
        shells = [connect(sshd.port) for _ in range(6)]
        await asyncio.gather(*(shell.run("spark1", TRUE) for shell in shells))
        assert len(path.read_text().splitlines()) == 2

    async def test_a_key_remembered_for_another_port_means_nothing(
        self,
        sshd: LoopbackSshd,
        connect: Callable[..., SshShell],
        cluster: Callable[[int], ClusterSettings],
    ) -> None:
        other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        cluster(sshd.port).known_hosts_path.write_text(f"127.0.0.1 {other}")
        assert (await connect(sshd.port).run("spark1", TRUE)).ok

    async def test_a_revoked_key_is_refused(
        self,
        sshd: LoopbackSshd,
        connect: Callable[..., SshShell],
        cluster: Callable[[int], ClusterSettings],
    ) -> None:
        key = sshd.host_key.export_public_key().decode()
        path = cluster(sshd.port).known_hosts_path
        path.write_text(f"@revoked [127.0.0.1]:{sshd.port} {key}")
        with pytest.raises(HostKeyChangedError):
            await connect(sshd.port).run("spark1", TRUE)
