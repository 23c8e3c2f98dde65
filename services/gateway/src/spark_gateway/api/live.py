"""``/api/live``: the dashboard's stream."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from spark_gateway.control_route import ControlRoute
from spark_gateway.parts import Parts, parts_of
from spark_gateway.streams.live import LiveView
from spark_gateway.streams.sse import EventStream
from spark_gateway.streams.subscriber import Subscriber

router = APIRouter(prefix="/api/live", tags=["live"], route_class=ControlRoute)

EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "server-sent events"}
}


@router.get("", response_class=Response, responses=EVENT_STREAM)
async def live(parts: Annotated[Parts, Depends(parts_of)]) -> Response:
    """A snapshot, the progress of a running swap, then every change.

    Events: `snapshot`, `swap.progress`, `swap.complete`, `swap.failed`, the same three of
    `download` and `update`, `lock.*`, `schedule.*`, and `menu`, `swaps`, `downloads`, `updates`,
    `lease`, `health`, `components`, `bus` when they change.
    A reconnect starts with a new snapshot.
    """
    client = Subscriber()
    view = LiveView(parts.bus, parts.hub, parts.jobs, parts.board, client)
    return EventStream(view.frames(), client.dropped)
