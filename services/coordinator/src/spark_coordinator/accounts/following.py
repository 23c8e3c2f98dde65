"""Takes every event of the lease and of the swaps into the accounts, however long it takes."""

from collections.abc import AsyncGenerator
from datetime import date
from typing import Final

import structlog

from spark_common.bus.port import Bus, Delivery, StoredMessage
from spark_common.clock import Clock
from spark_common.errors import SparkError, UnavailableError
from spark_coordinator.accounts.book import Mark
from spark_coordinator.accounts.days import day_of
from spark_coordinator.accounts.facts import Fact, fact_of
from spark_coordinator.accounts.keeper import Keeper

STREAMS: Final = ("SC_LEASE_EVT", "SC_SWAP_EVT")
DURABLE: Final = "accounts"
_AGAIN_SECONDS = 10.0
_BATCH = 500
_SUM_UP_SECONDS = 600.0
_RAW_SECONDS = 48 * 3600.0
"""Facts are kept this long after their day; the streams are read up to there by then."""

_log = structlog.get_logger()


class Follower:
    """Reads the two streams. A new file, or one that was lost, is filled from what they keep."""

    def __init__(self, bus: Bus, keeper: Keeper, clock: Clock) -> None:
        self._bus = bus
        self._keeper = keeper
        self._clock = clock

    async def follow(self, stream: str) -> None:
        """Take events for ever."""
        try:
            await self.catch_up(stream)
        except UnavailableError as error:
            _log.debug("accounts.not_caught_up", stream=stream, reason=error.message)
        async for delivery in self._bus.work(stream, DURABLE):
            try:
                await self._take(delivery)
            except UnavailableError:
                await self._give_back(delivery)

    async def sum_up(self) -> None:
        """Close days whose events were all read, for ever."""
        while True:
            await self._clock.sleep(_SUM_UP_SECONDS)
            try:
                for stream in STREAMS:
                    await self.catch_up(stream)
                before = await self._readable()
                if before is not None:
                    await self._keeper.sum_up(before)
            except UnavailableError as error:
                _log.debug("accounts.not_summed_up", reason=error.message)

    async def catch_up(self, stream: str) -> None:
        """Fill a file that knows nothing of a stream with everything the stream keeps."""
        if await self._keeper.mark(stream) is not None:
            return
        _, first, last = await self._bus.bounds(stream)
        if last < max(first, 1):
            return
        batch: list[Fact] = []
        messages = self._bus.tail(stream, after_seq=0)
        try:
            async for message in messages:
                fact = _read(message)
                batch += [] if fact is None else [fact]
                if len(batch) >= _BATCH or message.seq >= last:
                    # The mark comes with the last of them: whoever dies before begins again.
                    mark = _mark(message) if message.seq >= last else None
                    await self._keeper.record(batch, mark)
                    batch = []
                if message.seq >= last:
                    break
        finally:
            if isinstance(messages, AsyncGenerator):
                await messages.aclose()
        _log.info("accounts.filled", stream=stream, events=last - first + 1)

    async def _take(self, delivery: Delivery) -> None:
        message = delivery.message
        await self.catch_up(message.stream)
        try:
            fact = _facts(message)
        except ValueError:
            _log.warning("accounts.unreadable", subject=message.subject, seq=message.seq)
            await delivery.drop("not an event the accounts can read")
            return
        await self._keeper.record([] if fact is None else [fact], _mark(message))
        await delivery.done()

    async def _give_back(self, delivery: Delivery) -> None:
        try:
            await delivery.retry(_AGAIN_SECONDS)
        except SparkError as error:
            _log.debug("accounts.not_given_back", reason=error.code)

    async def _readable(self) -> date | None:
        """Return the first day that is too young to close, or None when nobody can tell."""
        read_to = self._clock.now().timestamp()
        for stream in STREAMS:
            epoch, _, last = await self._bus.bounds(stream)
            mark = await self._keeper.mark(stream)
            if last and (mark is None or mark.epoch != epoch or mark.seq < last):
                if mark is None:
                    return None
                read_to = min(read_to, mark.at)
        return day_of(read_to - _RAW_SECONDS)


def _facts(message: StoredMessage) -> Fact | None:
    return None if message.envelope is None else fact_of(message.envelope)


def _read(message: StoredMessage) -> Fact | None:
    try:
        return _facts(message)
    except ValueError:
        return None


def _mark(message: StoredMessage) -> Mark:
    at = message.envelope.time.timestamp() if message.envelope is not None else 0.0
    return Mark(message.stream, message.epoch, message.seq, at)
