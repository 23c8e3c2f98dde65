"""``RemoteShell`` over SSH."""

import asyncio
from collections.abc import Coroutine
from contextlib import ExitStack
from pathlib import PurePosixPath
from typing import Any, TypeAlias

import asyncssh

from spark_common.clock import Clock
from spark_common.errors import (
    DeadlineExceededError,
    HostUnreachableError,
    NotFoundError,
    RemoteCommandError,
)
from spark_common.remote.command import RemoteCommand, RemoteResult, quote
from spark_common.remote.ssh.link import Link, SshTimes
from spark_common.remote.ssh.session import MAX_OUTPUT_BYTES, Session, end
from spark_common.settings import ClusterSettings

SESSIONS_PER_HOST = 8
"""Below the ten sessions that sshd allows on one connection."""

_HOME = RemoteCommand(("sh", "-c", 'printf %s "$HOME"'))

_Started: TypeAlias = tuple[Session, asyncssh.SSHClientChannel[bytes]]


class SshShell:
    """Runs commands on the configured Sparks; close it at the end."""

    def __init__(
        self, cluster: ClusterSettings, clock: Clock, times: SshTimes | None = None
    ) -> None:
        times = times or SshTimes()
        self._links = {host.name: Link(host, cluster, clock, times) for host in cluster.hosts}
        self._slots = {name: asyncio.Semaphore(SESSIONS_PER_HOST) for name in self._links}
        self._homes: dict[str, str] = {}
        self._home_locks = {name: asyncio.Lock() for name in self._links}
        self._endings: set[asyncio.Task[None]] = set()

    async def run(
        self, host: str, command: RemoteCommand, *, timeout_seconds: float = 30.0
    ) -> RemoteResult:
        """Run to the end and return the result; waiting for a free session counts as time.

        A lost connection gives ``exit_code`` None and says so at the end of ``stderr``. Raises
        HostUnreachableError, HostKeyChangedError, DeadlineExceededError, NotFoundError for a
        host that is not configured, RemoteCommandError when the output exceeds eight MiB.
        """
        line = quote(command)
        link = self._link(host)
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._slots[host].acquire()
                with ExitStack() as held:
                    held.callback(self._slots[host].release)
                    return await self._run(link, line, command.stdin, held)
        except TimeoutError:
            raise DeadlineExceededError(
                f"{command.argv[0]!r} on {link.host.label} did not end within "
                f"{timeout_seconds:g} s and was stopped",
                host=host,
            ) from None

    async def home(self, host: str) -> str:
        """Return the remote user's home directory, absolute, resolved once per host."""
        self._link(host)
        async with self._home_locks[host]:
            if host not in self._homes:
                self._homes[host] = _checked_home(host, await self.run(host, _HOME))
            return self._homes[host]

    async def close(self) -> None:
        """End all connections; commands that still run are ended with them."""
        for ending in list(self._endings):
            ending.cancel()
        await asyncio.gather(*(link.close() for link in self._links.values()))

    def _link(self, host: str) -> Link:
        try:
            return self._links[host]
        except KeyError:
            raise NotFoundError(f"no Spark is named {host!r}", host=host) from None

    async def _run(
        self, link: Link, line: str, stdin: bytes | None, held: ExitStack
    ) -> RemoteResult:
        session, channel = await self._start(link, line, held)
        try:
            if stdin:
                channel.write(stdin)
            channel.write_eof()
            await session.ended()
            if session.overflowed.is_set():
                raise RemoteCommandError(
                    f"a command on {link.host.label} wrote more than "
                    f"{MAX_OUTPUT_BYTES // 2**20} MiB and was stopped",
                    host=link.host.name,
                )
        finally:
            if not session.closed.is_set():
                self._in_background(end(channel, session), held)
        return _result(link, channel, session)

    async def _start(self, link: Link, line: str, held: ExitStack) -> _Started:
        for first in (True, False):
            connection = await link.connection()
            session = Session()
            starting = asyncio.ensure_future(_open(connection, session, line))
            try:
                return session, await asyncio.shield(starting)
            except asyncio.CancelledError:
                # The host may still start it, when it wakes up.
                self._in_background(_end_when_started(starting, session), held)
                raise
            except (asyncssh.Error, OSError) as failure:
                # A connection that died while nobody looked is replaced once. A command that
                # may have been started is never started again.
                if first and connection.is_closed() and not session.opened:
                    continue
                raise HostUnreachableError(
                    f"{link.host.label} did not start a command: {_reason(failure)}",
                    host=link.host.name,
                ) from failure
        raise AssertionError("unreachable: the second pass returns or raises")

    def _in_background(self, ending: Coroutine[Any, Any, None], held: ExitStack) -> None:
        # The caller does not wait for the end of its command, but its session is taken until
        # then: sshd would refuse the ones beyond its limit.
        kept = held.pop_all()
        task = asyncio.create_task(ending)
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)
        task.add_done_callback(lambda _: kept.close())


async def _open(
    connection: asyncssh.SSHClientConnection, session: Session, line: str
) -> asyncssh.SSHClientChannel[bytes]:
    channel, _ = await connection.create_session(lambda: session, line, encoding=None)
    return channel


async def _end_when_started(
    starting: asyncio.Future[asyncssh.SSHClientChannel[bytes]], session: Session
) -> None:
    try:
        channel = await starting
    except (asyncssh.Error, OSError):
        return
    await end(channel, session)


def _result(
    link: Link, channel: asyncssh.SSHClientChannel[bytes], session: Session
) -> RemoteResult:
    code = channel.get_exit_status()
    signalled = code is None or code < 0
    lost = signalled and channel.get_exit_signal() is None
    note = f"\n[the SSH connection to {link.host.label} was lost]" if lost else ""
    return RemoteResult(None if signalled else code, session.stdout, session.stderr + note)


def _reason(failure: Exception) -> str:
    return str(getattr(failure, "reason", "")) or type(failure).__name__


def _checked_home(host: str, answer: RemoteResult) -> str:
    home = answer.stdout
    path = PurePosixPath(home)
    plain = home.isprintable() and path.is_absolute() and ".." not in path.parts
    if not answer.ok or not plain:
        raise RemoteCommandError(
            f"the home directory on {host} cannot be told: log in there once by hand and look "
            "what `sh -c 'printf %s \"$HOME\"'` prints",
            host=host,
        )
    return str(path)
