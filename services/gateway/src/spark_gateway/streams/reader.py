"""The one reader of a stream in this process, from the last kept messages on, for ever."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

from spark_common.bus import Bus, StoredMessage
from spark_common.clock import Clock
from spark_common.errors import SparkError

RETRY_SECONDS = 0.5
_LOG = structlog.get_logger()


@asynccontextmanager
async def tailing(
    bus: Bus, stream: str, subjects: Sequence[str], after_seq: int
) -> AsyncIterator[AsyncIterator[StoredMessage]]:
    """Tail a stream and give the bus its consumer back at the end of the block."""
    messages = bus.tail(stream, subjects, after_seq)
    try:
        yield messages
    finally:
        if isinstance(messages, AsyncGenerator):
            await messages.aclose()


class StreamReader:
    """Reads a stream in order and hands every message over once.

    ``position`` is the last sequence handed over, ``known`` the last one that is known to exist.
    Messages up to ``known`` at the first look are *history*: they fill the memory of the hub.
    When the stream turns out to be another one (restored, made anew), ``on_epoch`` is called and
    reading starts again.
    """

    def __init__(
        self,
        bus: Bus,
        stream: str,
        clock: Clock,
        *,
        keep: int,
        on_epoch: Callable[[], None],
        on_message: Callable[[StoredMessage, bool], Awaitable[None]],
        on_caught_up: Callable[[], None],
    ) -> None:
        self.stream = stream
        self.epoch: str | None = None
        self.floor = 0
        """Everything after this sequence is in the memory of the hub."""
        self.position = 0
        self.known = 0
        self._bus = bus
        self._clock = clock
        self._keep = keep
        self._on_epoch = on_epoch
        self._on_message = on_message
        self._on_caught_up = on_caught_up
        self._behind = True
        self._moved = asyncio.Event()

    @property
    def caught_up(self) -> bool:
        """Whether the history of the stream was read."""
        return not self._behind

    async def run(self) -> None:
        """Read until cancelled; the bus may go and come, the stream may be made anew."""
        reason = None
        while True:
            try:
                await self._read()
                reason = None
            except SparkError as error:
                if error.message != reason:
                    reason = error.message
                    _LOG.warning("stream.unreadable", stream=self.stream, reason=reason)
            except Exception:
                # Chat must not end because events cannot be read.
                _LOG.exception("stream.reader_broke", stream=self.stream)
            await self._clock.sleep(RETRY_SECONDS)

    async def reached(self, seq: int, within_seconds: float) -> bool:
        """Wait until ``seq`` was handed over; False when it takes longer."""
        try:
            async with asyncio.timeout(within_seconds):
                while self.position < seq:
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    async def _read(self) -> None:
        epoch, first, last = await self._bus.bounds(self.stream)
        if epoch != self.epoch or last < self.position:
            self.epoch = epoch
            self.known = last
            self.floor = self.position = max(first - 1, last - self._keep, 0)
            self._behind = True
            self._on_epoch()
        self._look_whether_caught_up()
        async with tailing(self._bus, self.stream, (">",), self.position) as messages:
            async for message in messages:
                if message.epoch != self.epoch:
                    return
                await self._on_message(message, self._behind)
                self.position = message.seq
                self._moved.set()
                self._moved.clear()
                self._look_whether_caught_up()

    def _look_whether_caught_up(self) -> None:
        if self._behind and self.position >= self.known:
            self._behind = False
            self._on_caught_up()
        self.known = max(self.known, self.position)
