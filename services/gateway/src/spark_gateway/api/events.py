"""``/api/events``: everything that happened, for those who only speak HTTP."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, JsonValue

from spark_gateway.api.asking import PartsOf
from spark_gateway.api.errors_doc import READ, problems
from spark_gateway.api.following import LastEventId
from spark_gateway.control_route import ControlRoute
from spark_gateway.streams.event_cursor import read_cursor, write_cursor
from spark_gateway.streams.event_feed import WORDS, EventFeed
from spark_gateway.streams.event_merge import Page
from spark_gateway.streams.event_types import wanted
from spark_gateway.streams.sse import EventStream

router = APIRouter(prefix="/api/events", tags=["events"], route_class=ControlRoute)

_LONGEST_WAIT_SECONDS = 30.0

EventCursor = Annotated[
    str | None,
    Query(
        max_length=200,
        description="`next` of an earlier answer; `now` for what comes; `recent` for the latest"
        " 2,048 of each stream and what comes; nothing for all there is.",
    ),
]
EventTypes = Annotated[
    list[Annotated[str, Query(max_length=200)]],
    Query(
        alias="type",
        max_length=50,
        description="Only these types, like `swap.complete` or `lock.*`; several are allowed.",
    ),
]


class EventPage(BaseModel):
    """Events in the order in which the bus stored them."""

    events: list[dict[str, JsonValue]]
    """CloudEvents, as they were told on the bus."""
    next: str
    """Pass it as `after` for what follows; the same one gives the same answer."""
    more: bool
    """What follows is there already."""
    reset: bool
    """Events before these may be missing: a stream was made anew, or they are not kept any more."""
    reset_streams: list[str]


ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {}},
        "description": "a page, or with `Accept: text/event-stream` a stream that goes on",
    },
    **problems(*READ),
}


@router.get("", response_model=EventPage, responses=ANSWERS)
async def events(
    parts: PartsOf,
    after: EventCursor = None,
    types: EventTypes = [],  # noqa: B006 read, never changed
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    wait_seconds: Annotated[
        float,
        Query(ge=0, le=_LONGEST_WAIT_SECONDS, description="Wait so long for something to happen."),
    ] = 0.0,
    last_event_id: LastEventId = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Outcomes and answers of swaps and jobs, the lease, schedules, health, ninety days back.

    As a stream every event has its type as name, the CloudEvent as data and a cursor as id;
    `Last-Event-ID` goes on behind it. `reset` says that events may be missing.
    """
    feed = EventFeed(parts.events, parts.clock, wanted(types))
    if after and after not in WORDS:
        # A wrong cursor is refused while that still can be said.
        read_cursor(after)
    if "text/event-stream" in accept.lower():
        return EventStream(feed.frames(last_event_id, after), asyncio.Event())
    page = await feed.page(await feed.places(after), limit, wait_seconds)
    return Response(_text(page), media_type="application/json", headers=_FRESH)


_FRESH = {"cache-control": "no-store"}


def _text(page: Page) -> str:
    told = EventPage(
        events=[],
        next=write_cursor(page.after),
        more=page.more or page.waiting,
        reset=bool(page.reset),
        reset_streams=list(page.reset),
    ).model_dump_json(exclude={"events"})
    # The bodies are JSON already.
    return '{"events":[' + ",".join(record.body for record in page.records) + "]," + told[1:]
