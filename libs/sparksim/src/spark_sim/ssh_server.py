"""The SSH server of a simulated host: public key only, every command in a real bash."""

import asyncio
import signal
from pathlib import Path

import asyncssh

from spark_sim.faults import Behaviour, Faults
from spark_sim.journal import Journal
from spark_sim.pace import Pace
from spark_sim.processes import end_group
from spark_sim.sandbox import Sandbox

_HANGUP_GRACE_SECONDS = 30.0
"""Of the Spark's time: how long a command that traps SIGHUP may tidy up."""

Process = asyncssh.SSHServerProcess[bytes]


class _Login(asyncssh.SSHServer):
    def __init__(self, host: "HostShell") -> None:
        self._host = host

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._host.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._host.connections.discard(self._connection)

    async def begin_auth(self, username: str) -> bool:
        await self._host.faults.while_frozen()
        return True


class HostShell:
    """Accepts SSH connections and runs what they ask for in the host's sandbox."""

    def __init__(
        self, name: str, sandbox: Sandbox, authorized_key: str, faults: Faults,
        journal: Journal, pace: Pace,
    ) -> None:  # fmt: skip
        self.name = name
        self.faults = faults
        self.connections: set[asyncssh.SSHServerConnection] = set()
        self._sandbox = sandbox
        self._authorized = asyncssh.import_authorized_keys(authorized_key)
        self._journal = journal
        self._pace = pace
        self._server: asyncssh.SSHAcceptor | None = None
        self._running: set[int] = set()
        self._commands: set[asyncio.Task[None]] = set()
        self._hanging_up: set[asyncio.Task[None]] = set()

    async def start(self, address: str, port: int, changed_key: bool = False) -> int:
        """Listen and return the port. Raises OSError when the address cannot be had."""
        key = _host_key(self._sandbox.root / ("other_host_key" if changed_key else "host_key"))
        self._server = await asyncssh.listen(
            address,
            port,
            server_factory=lambda: _Login(self),
            server_host_keys=[key],
            authorized_client_keys=self._authorized,
            process_factory=self._session,
            encoding=None,
            allow_scp=False,
            agent_forwarding=False,
            gss_host=None,
            login_timeout=0,
        )
        return self._server.get_port()

    async def stop(self) -> None:
        """Close the listener and cut every connection, as a host does that is gone."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None
        for connection in list(self.connections):
            connection.abort()
        for task in self._hanging_up:
            task.cancel()

    async def end_commands(self) -> None:
        """Kill the process groups of all commands; return when their connections let them go."""
        for group in self._running:
            end_group(group)
        while left := {*self._commands, *self._hanging_up}:
            for task in self._hanging_up:
                task.cancel()
            await asyncio.wait(left)

    async def _session(self, process: Process) -> None:
        command = process.command
        if command is None:
            process.stderr.write(b"This simulated host runs commands, not interactive shells.\n")
            process.exit(1)
            return
        user = str(process.get_extra_info("username") or "")
        self._journal.add(self.name, "ssh_command", command=command[:2000], user=user)
        if self.faults.command_fails():
            connection = process.channel.get_connection()
            connection.abort()
            return
        if self.faults.behaviour is Behaviour.SLOW:
            await self._pace.sleep(1)
        await self.faults.while_frozen()
        running = asyncio.create_task(self._run(process, command))
        self._commands.add(running)
        running.add_done_callback(self._commands.discard)
        await running

    async def _run(self, process: Process, command: str) -> None:
        child = await asyncio.create_subprocess_exec(
            "/bin/bash", "-c", command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self._sandbox.home,
            env=self._sandbox.environment(process.get_extra_info("username") or "spark"),
            start_new_session=True,
            **self._sandbox.user.options,
        )  # fmt: skip
        self._running.add(child.pid)
        try:
            await self._relay(process, child)
        finally:
            self._running.discard(child.pid)
            if child.returncode is None:
                hanging_up = asyncio.create_task(self._hang_up(child))
                self._hanging_up.add(hanging_up)
                hanging_up.add_done_callback(self._hanging_up.discard)

    async def _relay(self, process: Process, child: asyncio.subprocess.Process) -> None:
        stdin, stdout, stderr = child.stdin, child.stdout, child.stderr
        if stdin is None or stdout is None or stderr is None:
            raise RuntimeError("a command without pipes")
        feeding = asyncio.create_task(_feed(process, stdin))
        gone = asyncio.create_task(process.channel.wait_closed())
        work = asyncio.create_task(_outcome(process, child, stdout, stderr))
        try:
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (feeding, gone, work):
                task.cancel()
            await asyncio.gather(feeding, gone, work, return_exceptions=True)
        code = child.returncode
        if code is None or process.channel.is_closing():
            return
        if code < 0:
            process.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))
        else:
            process.exit(code)

    async def _hang_up(self, child: asyncio.subprocess.Process) -> None:
        """Do what a lost session does to its process group; setsid children live on."""
        end_group(child.pid, signal.SIGHUP)
        try:
            async with asyncio.timeout(max(2.0, self._pace.real(_HANGUP_GRACE_SECONDS))):
                await child.wait()
        except TimeoutError:
            pass
        finally:
            end_group(child.pid)
            await child.wait()


async def _outcome(
    process: Process, child: asyncio.subprocess.Process,
    stdout: asyncio.StreamReader, stderr: asyncio.StreamReader,
) -> None:  # fmt: skip
    """Pass everything on until both streams and the child have ended."""
    await asyncio.gather(
        _drain(stdout, process.stdout), _drain(stderr, process.stderr), child.wait()
    )


async def _feed(process: Process, stdin: asyncio.StreamWriter) -> None:
    try:
        while piece := await process.stdin.read(65536):
            stdin.write(piece)
            await stdin.drain()
        stdin.close()
        await stdin.wait_closed()
    except (OSError, asyncssh.Error):
        return


async def _drain(source: asyncio.StreamReader, target: asyncssh.SSHWriter[bytes]) -> None:
    try:
        while piece := await source.read(65536):
            target.write(piece)
            await target.drain()
    except (OSError, asyncssh.Error):
        return


def _host_key(path: Path) -> asyncssh.SSHKey:
    if path.exists():
        return asyncssh.read_private_key(path)
    key = asyncssh.generate_private_key("ssh-ed25519")
    path.touch(mode=0o600)
    key.write_private_key(path)
    return key
