"""``/api/explain-updates``: the loaded model says what the pending changes mean."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel, ConfigDict

from spark_common.contracts.downloads import HostName
from spark_common.contracts.swaps import AWAY
from spark_common.contracts.updates import GET_UPDATES, GetUpdates, PendingCommit, Updates
from spark_common.errors import ConflictError
from spark_gateway.api.asking import PartsOf, ask
from spark_gateway.api.errors_doc import CHANGE, problems
from spark_gateway.api.live import EVENT_STREAM
from spark_gateway.control_route import ControlRoute
from spark_gateway.errors import HttpFaultError
from spark_gateway.explaining.explanation import explanation
from spark_gateway.parts import Parts
from spark_gateway.served import ServedModel
from spark_gateway.streams.sse import EventStream

_LOOK_SECONDS = 25.0

router = APIRouter(prefix="/api/explain-updates", tags=["updates"], route_class=ControlRoute)


class ExplainOrder(BaseModel):
    """The body of `POST /api/explain-updates`; it may be empty."""

    model_config = ConfigDict(extra="forbid")

    host: HostName | None = None
    """Whose pending changes; the first Spark that has any unless given."""


@router.post(
    "",
    response_class=Response,
    responses={**EVENT_STREAM, **problems(*CHANGE)},
)
async def explain_updates(
    request: Request,
    parts: PartsOf,
    order: Annotated[ExplainOrder | None, Body()] = None,
) -> Response:
    """What the pending changes mean, in words for people, as the loaded model puts them.

    Events: `reasoning` and `text` with a piece of `text` each, then `done` or `error`. A `text`
    with `replace` says that all text before it was thinking.
    """
    model = await _loaded(parts)
    updates = await ask(request, GET_UPDATES, GetUpdates(), _LOOK_SECONDS)
    commits = pending(updates, order.host if order is not None else None)
    if not commits:
        raise ConflictError("there is nothing to explain: no changes are waiting to be installed")
    frames = explanation(parts.chat, model, commits)
    await anext(frames)  # What goes wrong before the first word is an answer of its own.
    return EventStream(frames, parts.stopping)


def pending(updates: Updates, host: str | None) -> list[PendingCommit]:
    """Return the pending commits of a Spark, or of the first that has any."""
    for checkout in updates.checkouts:
        if checkout.commits and host in (None, checkout.host):
            return checkout.commits
    return []


async def _loaded(parts: Parts) -> ServedModel:
    swaps = (await parts.board.fresh()).view.swaps
    if swaps is not None and swaps.current is not None and swaps.current.phase in AWAY:
        raise HttpFaultError(
            503,
            "model_loading",
            f"{swaps.current.model} is being loaded; ask again when it is ready",
            {"Retry-After": "30"},
        )
    models = parts.served.models()
    if not models:
        raise HttpFaultError(
            503,
            "no_model_loaded",
            "no model is loaded that could explain it; load one, then ask again",
        )
    return models[0]
