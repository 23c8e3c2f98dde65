"""A real SSH server in this process: every command is run by real bash in a folder of its own."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import Self

import asyncssh
from asyncssh.constants import EXTENDED_DATA_STDERR

_CHUNK = 65536


class LoopbackSshd:
    """Listens on 127.0.0.1; use as an async context manager.

    Signals reach the process group of a command, as with OpenSSH; what still runs when its
    channel closes goes on running, as with OpenSSH.
    """

    def __init__(self, home: Path, authorized: asyncssh.SSHKey, port: int = 0) -> None:
        self.home = home
        self.port = port
        self.authorized = authorized
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        """What commands get; change it to be another kind of host."""
        self.refuses_sessions = False
        """Lets clients in and starts nothing for them."""
        self.connections = 0
        """How often somebody connected."""
        self.running = 0
        self.most_running = 0
        """The largest number of commands that ran at the same moment."""
        self.logins: set[asyncssh.SSHServerConnection] = set()
        self.commands: set[asyncio.Task[None]] = set()
        self._groups: set[int] = set()
        self._listener: asyncssh.SSHAcceptor | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; on the same port again after ``stop``."""
        self._listener = await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_host_keys=[self.host_key],
            server_factory=lambda: _Login(self),
            encoding=None,
        )
        self.port = self._listener.get_port()

    async def stop(self) -> None:
        """End the listener, all connections and all commands."""
        if self._listener is not None:
            self._listener.close()
            await self._listener.wait_closed()
            self._listener = None
        for login in list(self.logins):
            login.abort()
        for group in list(self._groups):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        await asyncio.gather(*self.commands, return_exceptions=True)

    def started(self, group: int) -> None:
        """Note a command's process group."""
        self._groups.add(group)
        self.running += 1
        self.most_running = max(self.most_running, self.running)

    def ended(self, group: int) -> None:
        """Note that a command is over."""
        self._groups.discard(group)
        self.running -= 1


class _Login(asyncssh.SSHServer):
    def __init__(self, sshd: LoopbackSshd) -> None:
        self._sshd = sshd

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._sshd.connections += 1
        self._sshd.logins.add(conn)
        self._connection = conn

    def connection_lost(self, exc: Exception | None) -> None:
        self._sshd.logins.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return key == self._sshd.authorized.convert_to_public()

    def session_requested(self) -> "asyncssh.SSHServerSession[bytes] | bool":
        return False if self._sshd.refuses_sessions else _Shell(self._sshd)


class _Shell(asyncssh.SSHServerSession[bytes]):
    """One command, its pipes and its signals."""

    def __init__(self, sshd: LoopbackSshd) -> None:
        self._sshd = sshd
        self._channel: asyncssh.SSHServerChannel[bytes]
        self._command = ""
        self._input: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._process: asyncio.subprocess.Process | None = None

    def connection_made(self, chan: "asyncssh.SSHServerChannel[bytes]") -> None:
        self._channel = chan

    def exec_requested(self, command: str) -> bool:
        self._command = command
        return True

    def session_started(self) -> None:
        task = asyncio.get_running_loop().create_task(self._run())
        self._sshd.commands.add(task)
        task.add_done_callback(self._sshd.commands.discard)

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self._input.put_nowait(data)

    def eof_received(self) -> bool:
        self._input.put_nowait(None)
        return True

    def signal_received(self, signal: str) -> None:
        if self._process is not None and self._process.returncode is None:
            os.killpg(self._process.pid, _number(signal))

    async def _run(self) -> None:
        process = self._process = await asyncio.create_subprocess_exec(
            "bash",
            "-c",
            self._command,
            cwd=self._sshd.home,
            env=self._sshd.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        self._sshd.started(process.pid)
        feeding = asyncio.create_task(self._feed(process))
        try:
            await asyncio.gather(
                self._pump(process.stdout, None), self._pump(process.stderr, EXTENDED_DATA_STDERR)
            )
            code = await process.wait()
        finally:
            feeding.cancel()
            await asyncio.wait({feeding})
            self._sshd.ended(process.pid)
        with contextlib.suppress(OSError):
            if code < 0:
                self._channel.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))
            else:
                self._channel.exit(code)

    async def _feed(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        with contextlib.suppress(ConnectionError):
            while (chunk := await self._input.get()) is not None:
                process.stdin.write(chunk)
                await process.stdin.drain()
            process.stdin.close()

    async def _pump(self, source: asyncio.StreamReader, datatype: int | None) -> None:
        while chunk := await source.read(_CHUNK):
            if not self._channel.is_closing():
                self._channel.write(chunk, datatype)


def _number(name: str) -> signal.Signals:
    return signal.Signals[f"SIG{name}"]
