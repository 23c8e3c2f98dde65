"""The server side of the bus in memory: shared by the MemoryBus of every service of a test."""

import asyncio
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

from spark_common.bus.answering import Desk
from spark_common.bus.patterns import matches
from spark_common.bus.port import PublishResult, Stored
from spark_common.bus.streams import STREAMS, StreamSpec, stream_of
from spark_common.clock import Clock, SystemClock
from spark_common.errors import UnavailableError
from spark_common.testing.streams import MemoryStream


@dataclass(eq=False)
class Listener:
    """A core subscription."""

    subject: str
    queue: asyncio.Queue[tuple[str, bytes] | None] = field(default_factory=asyncio.Queue)


@dataclass(eq=False)
class Registered:
    """One instance that answers the verbs of a service."""

    service: str
    desks: dict[str, Desk]


class MemoryBroker:
    """Streams, subscriptions and services. ``down`` and ``up`` play an outage."""

    def __init__(self, streams: Iterable[StreamSpec] = STREAMS, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.streams = {
            spec.name: MemoryStream(spec, self.clock, "1", self.store) for spec in streams
        }
        self.listeners: list[Listener] = []
        self.registered: list[Registered] = []
        self.reachable = True
        self._turns = itertools.count()
        self._waiting: set[asyncio.Future[None]] = set()

    def down(self) -> None:
        """Nobody reaches the broker any more; what is stored stays."""
        self.reachable = False
        self.touch()

    def up(self) -> None:
        """The broker is back."""
        self.reachable = True
        self.touch()

    def require(self) -> None:
        """Raise UnavailableError during an outage."""
        if not self.reachable:
            raise UnavailableError("the event bus does not answer")

    def stream(self, name: str) -> MemoryStream:
        """Return a stream; raises UnavailableError when it is not there or nobody answers."""
        self.require()
        if name not in self.streams:
            raise UnavailableError(f"stream {name} does not exist yet")
        return self.streams[name]

    def stream_for(self, subject: str) -> MemoryStream | None:
        """Return the stream that stores a subject."""
        spec = stream_of(subject, (stream.spec for stream in self.streams.values()))
        return None if spec is None else self.streams[spec.name]

    def store(
        self, subject: str, payload: bytes, id: str | None = None, first_on: str | None = None
    ) -> PublishResult | None:
        """Take a message as the server does: store it where a stream owns it, and tell it.

        Also what a bare ``nats pub`` of an automation does. None when no stream owns it.
        """
        self.require()
        stream = self.stream_for(subject)
        self.tell(subject, payload)
        if stream is None:
            return None
        result = stream.store(subject, payload, id, first_on)
        if isinstance(result, Stored):
            if stream.spec.republish is not None:
                self.tell(subject.rpartition(".")[0], payload)
            self.touch()
        return result

    def tell(self, subject: str, payload: bytes) -> None:
        """Hand a core message to everybody who listens now."""
        for listener in self.listeners:
            if matches(listener.subject, subject):
                listener.queue.put_nowait((subject, payload))

    def desk(self, subject: str) -> Desk | None:
        """Return who answers next: the instances of a service take turns."""
        able = [one.desks[subject] for one in self.registered if subject in one.desks]
        return able[next(self._turns) % len(able)] if able else None

    def touch(self) -> None:
        """Wake everybody who waits for something to change."""
        for waiting in self._waiting:
            _wake(waiting)

    async def changed(self, until: float | None = None) -> None:
        """Wait for the next change, or until a moment of the clock."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        alarm = None
        if until is not None:
            alarm = asyncio.ensure_future(self.clock.sleep(until - self.clock.monotonic()))
            alarm.add_done_callback(lambda _: _wake(waiting))
        try:
            await waiting
        finally:
            self._waiting.discard(waiting)
            if alarm is not None:
                alarm.cancel()


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
