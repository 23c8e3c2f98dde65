"""The log of events for one client: a page it waits for, or a stream that never ends."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from spark_common.clock import Clock
from spark_common.errors import InvalidRequestError, UnavailableError
from spark_gateway.streams.event_cursor import Place, Places, read_cursor, write_cursor
from spark_gateway.streams.event_log import EventLog
from spark_gateway.streams.event_merge import Page
from spark_gateway.streams.event_types import Wanted
from spark_gateway.streams.hub import KEEP_ALIVE_SECONDS
from spark_gateway.streams.sse import KEEP_ALIVE, PREAMBLE, event_frame

NOW, RECENT = "now", "recent"
WORDS = frozenset({NOW, RECENT})
"""What may stand for a place."""
_STREAM_PAGE = 200
_AGAIN_SECONDS = 0.5


@dataclass(frozen=True)
class EventFeed:
    """What one client asked for."""

    log: EventLog
    clock: Clock
    wanted: Wanted

    async def places(self, after: str | None) -> Places:
        """Return where to begin: ``now``, ``recent``, a cursor, or the oldest kept event.

        Raises InvalidRequestError, UnavailableError.
        """
        if after == NOW:
            return await self.log.now()
        if after == RECENT:
            return await self.log.recent()
        return read_cursor(after) if after else {}

    async def page(self, places: Places, limit: int, wait_seconds: float) -> Page:
        """Return a page; an empty one only after ``wait_seconds``. Raises UnavailableError."""
        deadline = self.clock.monotonic() + wait_seconds
        while True:
            version = self.log.version
            page = await self.log.page(places, self.wanted, limit)
            left = deadline - self.clock.monotonic()
            if page.records or page.reset or left <= 0 or self.log.closed:
                return page
            await self.log.wait_changed(version, left)

    async def frames(
        self, last_event_id: str | None, after: str | None
    ) -> AsyncGenerator[bytes, None]:
        """Yield the wire bytes: what follows the last id, else ``after``, and then what comes."""
        yield PREAMBLE
        places: Places | None = None
        sent = last_event_id
        quiet_since = self.clock.monotonic()
        if last_event_id:
            try:
                places = read_cursor(last_event_id)
            except InvalidRequestError:
                # An id of another stream: everything is news, and the client has to know.
                yield _reset(())
                places = {}
        while not self.log.closed:
            version = self.log.version
            try:
                if places is None:
                    places = await self.places(after)
                page = await self.log.page(places, self.wanted, _STREAM_PAGE)
            except UnavailableError:
                yield KEEP_ALIVE
                await self.clock.sleep(_AGAIN_SECONDS)
                continue
            if page.records or page.reset:
                yield _told(page)
                quiet_since = self.clock.monotonic()
                sent = None
            places = page.after
            if page.more:
                continue
            left = quiet_since + KEEP_ALIVE_SECONDS - self.clock.monotonic()
            if left <= 0:
                # The place moves on though nothing is told: a client must not fall behind by it.
                place = write_cursor(places)
                yield KEEP_ALIVE if place == sent else f": keep-alive\nid: {place}\n\n".encode()
                sent, quiet_since = place, self.clock.monotonic()
                continue
            await self.log.wait_changed(version, left)


def _told(page: Page) -> bytes:
    frames = [_reset(page.reset)] if page.reset else []
    places = dict(page.begun)
    for record in page.records:
        places[record.stream] = Place(places[record.stream].epoch, record.seq)
        frames.append(event_frame(record.type, record.body, write_cursor(places)))
    return b"".join(frames)


def _reset(streams: tuple[str, ...]) -> bytes:
    return event_frame("reset", json.dumps({"streams": list(streams)}))
