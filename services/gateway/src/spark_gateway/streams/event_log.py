"""All events of the replayed streams in one order: from memory, and from the streams behind it."""

import asyncio
from dataclasses import dataclass

from spark_common.bus import Bus, StoredMessage
from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.tasks import together
from spark_gateway.streams.event_cursor import Place, Places, digest
from spark_gateway.streams.event_merge import Candidates, Page, merge
from spark_gateway.streams.event_record import SHELF_RECORDS, Record, Shelf, record_of, stored_at
from spark_gateway.streams.event_settling import Settling
from spark_gateway.streams.event_types import EVERYTHING, REPLAYED, Wanted
from spark_gateway.streams.reader import StreamReader, tailing

_PATIENCE_SECONDS = 2.0
_LOOK_UP_SECONDS = 4.0
_LOOK_UPS = 4
_SETTLED_SECONDS = 1.5


@dataclass
class _Stream:
    reader: StreamReader
    shelf: Shelf

    @property
    def epoch(self) -> str:
        return digest(self.reader.epoch or "")


class EventLog:
    """One reader per stream for everybody; who is further back looks into the stream itself."""

    def __init__(self, bus: Bus, clock: Clock, *, shelf_records: int = SHELF_RECORDS) -> None:
        self._bus = bus
        self._clock = clock
        self._streams = {
            name: _Stream(self._reader(name, shelf_records), Shelf(shelf_records))
            for name in REPLAYED
        }
        readers = [each.reader for each in self._streams.values()]
        self._settling = Settling(bus, clock, readers, self._wake)
        self._look_ups = asyncio.Semaphore(_LOOK_UPS)
        self._moved = asyncio.Event()
        self._caught_up = asyncio.Event()
        self.version = 0
        """Grows with every event; what ``wait_changed`` compares."""
        self.closed = False

    async def run(self) -> None:
        """Read all streams, until cancelled."""
        readers = [each.reader.run for each in self._streams.values()]
        await together([*readers, self._settling.run])

    def close(self) -> None:
        """The process stops: nobody waits any longer."""
        self.closed = True
        self._wake()

    async def wait_changed(self, version: int, seconds: float) -> None:
        """Wait until something came after ``version``, at most so long."""
        if self.version != version or self.closed:
            return
        moved = asyncio.ensure_future(self._moved.wait())
        nap = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({moved, nap}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            moved.cancel()
            nap.cancel()

    async def now(self) -> Places:
        """Return the places behind everything that is there. Raises UnavailableError."""
        await self._ready()
        await self._settling.wait(_SETTLED_SECONDS)
        return {
            name: Place(each.epoch, each.reader.position) for name, each in self._streams.items()
        }

    async def recent(self) -> Places:
        """Return the places before the oldest events in memory. Raises UnavailableError."""
        await self._ready()
        return {name: Place(each.epoch, each.reader.floor) for name, each in self._streams.items()}

    async def page(self, places: Places, wanted: Wanted, limit: int) -> Page:
        """Return the events behind ``places``, oldest first. Raises UnavailableError."""
        await self._ready()
        await self._settling.wait(_SETTLED_SECONDS)
        asked = {name: wanted.subjects(name) for name in self._streams}
        begun, reset = await self._begin(places, [name for name, found in asked.items() if found])
        looked_up: dict[str, list[Record]] = {name: [] for name in begun}
        read_to = {name: place.seq for name, place in begun.items()}
        # Memory may forget while a stream is looked into: only what holds for all at once counts.
        while behind := [
            name
            for name in begun
            if read_to[name] < self._streams[name].reader.floor and len(looked_up[name]) <= limit
        ]:
            for name in behind:
                more = await self._look_up(
                    name, asked[name], read_to[name], limit + 1 - len(looked_up[name])
                )
                looked_up[name] += more.records
                read_to[name] = more.read_to
        candidates = {
            name: self._candidates(name, wanted, place, looked_up[name], read_to[name], limit)
            for name, place in begun.items()
        }
        for name, place in begun.items():
            if self._streams[name].epoch != place.epoch:
                raise UnavailableError("the event streams were just made anew; try again")
        kept = {name: place for name, place in places.items() if name not in begun}
        # One more than fits is a candidate where there is one: a cut page knows that it is cut.
        return merge(kept, candidates, limit, self._settling.horizon, reset)

    async def _ready(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not all(each.reader.caught_up for each in self._streams.values()):
                    self._caught_up.clear()
                    await self._caught_up.wait()
        except TimeoutError:
            raise UnavailableError(
                "the event streams are not there yet; try again in a moment"
            ) from None

    async def _begin(
        self, places: Places, asked: list[str]
    ) -> tuple[dict[str, Place], tuple[str, ...]]:
        begun, reset = {}, []
        for name in asked:
            epoch, place = self._streams[name].epoch, places.get(name)
            if place is not None and place.epoch == epoch and await self._is_kept(name, place.seq):
                begun[name] = place
                continue
            _, first, _ = await self._bus.bounds(name)
            begun[name] = Place(epoch, max(first - 1, 0))
            if place is not None:
                reset.append(name)
        return begun, tuple(reset)

    async def _is_kept(self, name: str, seq: int) -> bool:
        """Say whether everything behind ``seq`` is still there, and ``seq`` ever was."""
        reader = self._streams[name].reader
        if reader.floor <= seq <= reader.position:
            return True
        _, first, last = await self._bus.bounds(name)
        return first - 1 <= seq <= last

    async def _look_up(
        self, name: str, subjects: tuple[str, ...], after: int, limit: int
    ) -> Candidates:
        """Read what memory forgot straight from the stream, at most ``limit`` records."""
        reader = self._streams[name].reader
        until, epoch = reader.floor, reader.epoch
        found: list[Record] = []
        async with self._look_ups:
            upto = min(until, await self._newest(name, subjects, until))
            try:
                async with asyncio.timeout(_LOOK_UP_SECONDS):
                    while after < upto and len(found) < limit:
                        after = await self._some(name, subjects, after, upto, limit, epoch, found)
            except TimeoutError:
                raise UnavailableError(
                    f"stream {name} does not answer in time; try again"
                ) from None
        full = len(found) >= limit
        place = Place(digest(epoch or ""), after)
        return Candidates(place, found, found[-1].seq if full else until)

    async def _newest(self, name: str, subjects: tuple[str, ...], until: int) -> int:
        """Return a sequence behind which no message on ``subjects`` is, up to ``until``."""
        if subjects == EVERYTHING.subjects(name):
            _, first, _ = await self._bus.bounds(name)
            return until if first <= until else 0
        newest = [await self._bus.last_message(name, subject) for subject in subjects]
        return max((each.seq for each in newest if each is not None), default=0)

    async def _some(
        self,
        name: str,
        subjects: tuple[str, ...],
        after: int,
        upto: int,
        limit: int,
        epoch: str | None,
        found: list[Record],
    ) -> int:
        async with tailing(self._bus, name, subjects, after) as messages:
            async for message in messages:
                if message.epoch != epoch:
                    raise UnavailableError("the event streams were just made anew; try again")
                if message.seq > upto:
                    return upto
                record = record_of(message, looked_up=True)
                if record is not None:
                    found.append(record)
                if message.seq >= upto or len(found) >= limit:
                    return message.seq
        raise UnavailableError(f"stream {name} does not answer; try again")

    def _candidates(
        self,
        name: str,
        wanted: Wanted,
        place: Place,
        looked_up: list[Record],
        read_to: int,
        limit: int,
    ) -> Candidates:
        each = self._streams[name]
        if read_to < each.reader.floor:
            # The page is full with what was looked up; memory begins later.
            return Candidates(place, looked_up, read_to)
        records = list(looked_up)
        for record in each.shelf.after(read_to):
            if len(records) > limit:
                break
            if record.type in wanted.types:
                records.append(record)
        return Candidates(place, records, max(read_to, each.reader.position))

    def _reader(self, stream: str, keep: int) -> StreamReader:
        async def remember(message: StoredMessage, history: bool) -> None:
            self._settling.arrival(stored_at(message))
            record = record_of(message)
            if record is None:
                return
            gone = self._streams[stream].shelf.put(record)
            if gone is not None:
                self._streams[stream].reader.floor = gone
            self._wake()

        def forget() -> None:
            self._streams[stream].shelf.clear()

        return StreamReader(
            self._bus,
            stream,
            self._clock,
            keep=keep,
            on_epoch=forget,
            on_message=remember,
            on_caught_up=self._caught_up_one,
        )

    def _caught_up_one(self) -> None:
        self._caught_up.set()
        self._wake()

    def _wake(self) -> None:
        self.version += 1
        self._moved.set()
        self._moved.clear()
