"""Following one swap or job by server-sent events, whatever kind it is."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Header, Response

from spark_common.errors import UnavailableError
from spark_gateway.api.errors_doc import READ, problems
from spark_gateway.api.live import EVENT_STREAM
from spark_gateway.parts import Parts
from spark_gateway.streams.entry import Thread
from spark_gateway.streams.hub import Hub
from spark_gateway.streams.sse import EventStream
from spark_gateway.streams.story import Story
from spark_gateway.streams.subscriber import Subscriber

_PATIENCE_SECONDS = 2.0

LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=200)]
FOLLOWED: dict[int | str, dict[str, Any]] = {
    **EVENT_STREAM,
    204: {"description": "the client already has the outcome: nothing follows"},
    **problems(404, *READ),
}
"""The ``responses`` of a route that answers with ``follow``."""


async def follow(
    parts: Parts,
    hub: Hub,
    thread: Thread,
    is_over: Callable[[], Awaitable[bool]],
    last_event_id: str | None,
) -> Response:
    """Stream the events of a thread from its beginning, or from ``last_event_id`` on, to its end.

    204 when the client has the outcome already, or when the events of what ``is_over`` are not
    kept any more; ``is_over`` raises NotFoundError for what nobody knows.
    """
    outcome = await hub.outcome(thread)
    if not await hub.wait_caught_up(_PATIENCE_SECONDS):
        raise UnavailableError("the event streams are not there yet; try again in a moment")
    if outcome is not None and last_event_id == outcome.event_id:
        return Response(status_code=204)
    if outcome is None and not await hub.has_progress(thread) and await is_over():
        return Response(status_code=204)
    client = Subscriber()
    story = Story(parts.bus, hub, parts.clock, thread, client)
    return EventStream(story.frames(last_event_id), client.dropped)
