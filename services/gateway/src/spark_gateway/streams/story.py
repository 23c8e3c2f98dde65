"""Follow one swap or job from any point to its outcome, without a gap and without a repeat."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from spark_common import subjects
from spark_common.bus import Bus
from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_gateway.streams.entry import Entry, Thread, entry_of, resume_after
from spark_gateway.streams.hub import Hub
from spark_gateway.streams.reader import tailing
from spark_gateway.streams.sse import KEEP_ALIVE, PREAMBLE, RESET
from spark_gateway.streams.subscriber import Subscriber

_LOOK_AGAIN_SECONDS = 0.5


async def replay(
    bus: Bus, stream: str, thread: Thread, after: int, until: int
) -> AsyncGenerator[Entry, None]:
    """Yield a thread's stored progress with ``after < seq <= until``, straight from the stream."""
    subject = subjects.job_progress(thread.kind, thread.id)
    newest = await bus.last_message(stream, subject)
    if newest is None or newest.seq <= after:
        return
    async with tailing(bus, stream, (subject,), after) as messages:
        async for message in messages:
            if message.seq > until:
                return
            entry = entry_of(message)
            if entry is not None:
                yield entry
            if message.seq >= min(until, newest.seq):
                return


@dataclass(frozen=True)
class Story:
    """The events of one swap or job for one client.

    A client that is further back than the hub remembers reads the stream itself, at its own
    pace, until it has caught up with the ring; only then does it hang on the hub's queue.
    """

    bus: Bus
    hub: Hub
    clock: Clock
    thread: Thread
    client: Subscriber

    def told_up_to(self, last_event_id: str | None) -> int | None:
        """Return the progress sequence to go on after: 0 from the start, None for a foreign id."""
        if not last_event_id:
            return 0
        progress = self.hub.progress
        return resume_after(last_event_id, progress.stream, progress.epoch or "", progress.known)

    async def frames(self, last_event_id: str | None) -> AsyncGenerator[bytes, None]:
        """Yield the wire bytes: what the client misses, then what comes, ending at the outcome."""
        after = self.told_up_to(last_event_id)
        yield PREAMBLE
        if after is None:
            yield RESET
        try:
            async for frame in self._story(after or 0):
                yield frame
        finally:
            self.hub.detach(self.client)

    async def _story(self, cursor: int) -> AsyncGenerator[bytes, None]:
        progress = self.hub.progress
        while cursor < progress.floor:
            until = progress.position
            async for entry in replay(self.bus, progress.stream, self.thread, cursor, until):
                yield entry.frame
            cursor = max(cursor, until)
        # No await between these two: nothing can fall between the ring and the queue.
        missed = self.hub.progress_after(self.thread, cursor)
        self.hub.attach(self.client, self.thread)
        yield b"".join(entry.frame for entry in missed)
        async for frame in self._to_the_end():
            yield frame

    async def _to_the_end(self) -> AsyncGenerator[bytes, None]:
        while True:
            try:
                outcome = await self.hub.outcome(self.thread)
                break
            except UnavailableError:
                yield KEEP_ALIVE
                await self.clock.sleep(_LOOK_AGAIN_SECONDS)
        if outcome is not None:
            await self.hub.all_progress_told()
            queued = [item for item in self.client.drain() if not item.closes]
            yield b"".join(item.frame for item in queued) + outcome.frame
            return
        while items := await self.client.take():
            yield b"".join(item.frame for item in items)
            if any(item.closes for item in items):
                return
