"""One running remote command: its output within bounds, its end, and how it is ended."""

import asyncio

import asyncssh
from asyncssh.constants import EXTENDED_DATA_STDERR

MAX_OUTPUT_BYTES = 8 * 1024 * 1024
_GRACE_SECONDS = 1.0
_CLOSE_SECONDS = 2.0


class Session(asyncssh.SSHClientSession[bytes]):
    """Collects what a command writes, at most eight MiB of it, until its channel closes."""

    def __init__(self) -> None:
        self.opened = False
        """The channel exists; from here on the command may have been started."""
        self.overflowed = asyncio.Event()
        self.closed = asyncio.Event()
        self._written: dict[int | None, bytearray] = {
            None: bytearray(),
            EXTENDED_DATA_STDERR: bytearray(),
        }
        self._size = 0

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """Note that the channel exists."""
        self.opened = True

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Keep what was written, up to the bound."""
        self._size += len(data)
        if self._size > MAX_OUTPUT_BYTES:
            self.overflowed.set()
            return
        self._written[datatype] += data

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that nothing more will come."""
        self.closed.set()

    @property
    def stdout(self) -> str:
        """Everything written so far, decoded; what is not UTF-8 is replaced."""
        return self._written[None].decode("utf-8", "replace")

    @property
    def stderr(self) -> str:
        """Errors written so far, decoded; what is not UTF-8 is replaced."""
        return self._written[EXTENDED_DATA_STDERR].decode("utf-8", "replace")

    async def ended(self) -> None:
        """Wait until the command is over or has written too much."""
        waiters = {
            asyncio.ensure_future(self.closed.wait()),
            asyncio.ensure_future(self.overflowed.wait()),
        }
        try:
            await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()


async def end(channel: asyncssh.SSHClientChannel[bytes], session: Session) -> None:
    """End a command that is no longer wanted: TERM, a second later KILL; returns when it is over.

    sshd signals the whole process group of the command. On a silent host, or one that takes no
    signals, this closes the channel after three seconds and gives up quietly.
    """
    try:
        async with asyncio.timeout(_GRACE_SECONDS + _CLOSE_SECONDS):
            channel.send_signal("TERM")
            try:
                async with asyncio.timeout(_GRACE_SECONDS):
                    await session.closed.wait()
            except TimeoutError:
                channel.send_signal("KILL")
                await session.closed.wait()
    except (TimeoutError, OSError, asyncssh.Error):
        channel.abort()
