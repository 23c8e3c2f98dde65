"""The fan-out: what the readers hand over goes into one short memory and to every client."""

import asyncio
from collections import deque
from collections.abc import Callable

import structlog
from prometheus_client import Counter, Gauge
from pydantic import JsonValue

from spark_common import subjects
from spark_common.bus import Bus, StoredMessage
from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.service import REGISTRY
from spark_common.tasks import together
from spark_gateway.streams.entry import JOBS, SWAPS, Entry, StreamPair, Thread, entry_of
from spark_gateway.streams.reader import StreamReader
from spark_gateway.streams.sse import KEEP_ALIVE, event_frame
from spark_gateway.streams.subscriber import Item, Subscriber

KEEP_ALIVE_SECONDS = 10.0
RING_ENTRIES = 2048
RING_BYTES = 8 * 1024 * 1024
_ORDERING_SECONDS = 2.0
_LOG = structlog.get_logger()
_CLIENTS = Gauge("spark_gateway_event_clients", "Clients that follow events now", registry=REGISTRY)
_DROPPED = Counter(
    "spark_gateway_event_clients_dropped",
    "Clients dropped because they read too slowly",
    registry=REGISTRY,
)


class Hub:
    """One reader per stream, one ring of the latest entries, a bounded queue per client.

    ``marks`` count entries in the order in which they were told; a mark splits what a snapshot
    already contains from what has to follow it.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        *,
        pair: StreamPair = SWAPS,
        ring_entries: int = RING_ENTRIES,
        ring_bytes: int = RING_BYTES,
    ) -> None:
        self.pair = pair
        self.leads = pair == SWAPS
        """A client of everything hangs on all hubs; one keeps it awake, counts it, resyncs it."""
        self._bus = bus
        self._clock = clock
        self._ring: deque[Entry] = deque()
        self._ring_entries = ring_entries
        self._ring_bytes = ring_bytes
        self._bytes = 0
        self._told = 0
        self._clients: dict[Subscriber, Thread | None] = {}
        self._listeners: list[Callable[[Entry], None]] = []
        self._resync_listeners: list[Callable[[], None]] = []
        self._closed = False
        self._caught_up = asyncio.Event()
        self.progress = self._reader(pair.progress, ring_entries)
        # An old outcome is looked up when somebody asks for its thread; only new ones are told.
        self.outcomes = self._reader(pair.outcomes, 0)

    @property
    def mark(self) -> int:
        """How many entries were told so far."""
        return self._told

    @property
    def caught_up(self) -> bool:
        """Whether both streams were read up to where they were when they were found."""
        return self.progress.caught_up and self.outcomes.caught_up

    async def wait_caught_up(self, within_seconds: float) -> bool:
        """Wait for that; right after the start it takes a moment."""
        try:
            async with asyncio.timeout(within_seconds):
                while not self.caught_up:
                    await self._caught_up.wait()
        except TimeoutError:
            return False
        return True

    @property
    def watched(self) -> bool:
        """Whether anybody follows everything (a dashboard is open)."""
        return any(thread is None for thread in self._clients.values())

    async def run(self) -> None:
        """Read both streams and keep clients awake, until cancelled."""
        await together([self.progress.run, self.outcomes.run, self._keep_alive])

    def on_entry(self, listener: Callable[[Entry], None]) -> None:
        """Call ``listener`` for every new entry; it must not block."""
        self._listeners.append(listener)

    def on_caught_up(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` when what happened before was read: it was told to nobody."""
        self._resync_listeners.append(listener)

    def attach(self, client: Subscriber, thread: Thread | None) -> int:
        """Send ``client`` what comes from now on, of a thread or of everything; return the mark."""
        if self._closed:
            client.close()
        self._clients[client] = thread
        if thread is not None or self.leads:
            _CLIENTS.inc()
        return self._told

    def detach(self, client: Subscriber) -> None:
        """Forget a client."""
        known = client in self._clients
        thread = self._clients.pop(client, None)
        if known and (thread is not None or self.leads):
            _CLIENTS.dec()

    def close(self) -> None:
        """End all streams, now and later: the process stops."""
        self._closed = True
        for client in self._clients:
            client.close()

    def since(self, first_mark: int, before_mark: int, thread: Thread | None) -> list[Entry]:
        """Return entries told before ``before_mark`` that are of ``thread`` or not before
        ``first_mark``, as far as the ring remembers.
        """
        oldest = self._told - len(self._ring)
        return [
            entry
            for mark, entry in enumerate(self._ring, oldest)
            if mark < before_mark and (mark >= first_mark or entry.thread == thread)
        ]

    def progress_after(self, thread: Thread, seq: int) -> list[Entry]:
        """Return the remembered progress of a thread after ``seq``; complete from the floor on."""
        return [
            entry
            for entry in self._ring
            if entry.thread == thread and entry.seq > seq and not entry.is_outcome
        ]

    def tell(self, name: str, payload: str | dict[str, JsonValue]) -> None:
        """Tell everybody who follows everything something that no stream stores."""
        self._offer(Item(event_frame(name, payload)), None)

    async def outcome(self, thread: Thread) -> Entry | None:
        """Return the stored outcome of a thread, if it has one. Raises UnavailableError."""
        for subject in (
            subjects.job_complete(thread.kind, thread.id),
            subjects.job_failed(thread.kind, thread.id),
        ):
            message = await self._bus.last_message(self.pair.outcomes, subject)
            if message is not None:
                return entry_of(message)
        return None

    async def has_progress(self, thread: Thread) -> bool:
        """Say whether any progress of a thread is stored. Raises UnavailableError."""
        subject = subjects.job_progress(thread.kind, thread.id)
        return await self._bus.last_message(self.pair.progress, subject) is not None

    async def all_progress_told(self) -> None:
        """Wait, for a bounded time, until the progress that is stored by now was told."""
        await self._all_told(self.progress)

    async def all_outcomes_told(self) -> None:
        """Wait, for a bounded time, until the outcomes that are stored by now were told."""
        await self._all_told(self.outcomes)

    async def _all_told(self, reader: StreamReader) -> None:
        try:
            _, _, last = await self._bus.bounds(reader.stream)
        except UnavailableError:
            return
        if not await reader.reached(last, _ORDERING_SECONDS):
            _LOG.warning("stream.behind", stream=reader.stream, waiting_for=last)

    def _reader(self, stream: str, keep: int) -> StreamReader:
        return StreamReader(
            self._bus,
            stream,
            self._clock,
            keep=keep,
            on_epoch=self._forget,
            on_message=self._remember,
            on_caught_up=self._resync,
        )

    async def _remember(self, message: StoredMessage, history: bool) -> None:
        entry = entry_of(message)
        if entry is None:
            return
        if entry.is_outcome and not history:
            # Two streams keep no order between them; the outcome is the last word.
            await self.all_progress_told()
        self._ring.append(entry)
        self._told += 1
        self._bytes += len(entry.frame)
        while len(self._ring) > self._ring_entries or self._bytes > self._ring_bytes:
            gone = self._ring.popleft()
            self._bytes -= len(gone.frame)
            if not gone.is_outcome:
                self.progress.floor = gone.seq
        item = Item(entry.frame, closes=entry.is_outcome)
        self._offer(item, entry.thread, everybody=not history)
        if not history:
            for listener in self._listeners:
                listener(entry)

    def _forget(self) -> None:
        """Another incarnation of a stream: its sequences mean something else now."""
        self._caught_up.clear()
        self._ring.clear()
        self._bytes = 0
        self.progress.floor = self.progress.position
        for client, thread in self._clients.items():
            if thread is not None:
                client.close()

    def _resync(self) -> None:
        if self.caught_up:
            self._caught_up.set()
            if self.leads:
                self._offer(Item(b"", resync_before=self._told), None)
            for listener in self._resync_listeners:
                listener()

    def _offer(self, item: Item, thread: Thread | None, *, everybody: bool = True) -> None:
        for client, wanted in self._clients.items():
            wants = wanted == thread if wanted is not None else everybody
            if wants and not client.offer(item):
                _DROPPED.inc()

    async def _keep_alive(self) -> None:
        while True:
            await self._clock.sleep(KEEP_ALIVE_SECONDS)
            for client, thread in self._clients.items():
                if thread is not None or self.leads:
                    client.offer(Item(KEEP_ALIVE))


def jobs_hub(bus: Bus, clock: Clock) -> Hub:
    """Return the hub of jobs that are no swaps. Its pictures are the board's."""
    return Hub(bus, clock, pair=JOBS)
