"""``/api/swap``: ask for a model, follow it, stop it."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, SecretStr

from spark_common.clock import Clock
from spark_common.contracts.swaps import (
    CANCEL_SWAP,
    GET_SWAP,
    LIST_SWAPS,
    REQUEST_SWAP,
    TERMINAL,
    CancelSwap,
    GetSwap,
    ListSwaps,
    RequestSwap,
    SwapId,
    Swaps,
    SwapView,
    Text,
)
from spark_common.errors import DeadlineExceededError, OutcomeUnknownError, UnavailableError
from spark_gateway.api.errors_doc import CHANGE, READ, problems
from spark_gateway.api.live import EVENT_STREAM
from spark_gateway.api.models import ASK_SECONDS
from spark_gateway.boundary import request_id_of
from spark_gateway.control_route import ControlRoute
from spark_gateway.idempotency import id_for
from spark_gateway.parts import Parts, parts_of
from spark_gateway.streams.entry import Thread
from spark_gateway.streams.sse import EventStream
from spark_gateway.streams.story import Story
from spark_gateway.streams.subscriber import Subscriber

router = APIRouter(prefix="/api/swap", tags=["swaps"], route_class=ControlRoute)

DRY_RUN_SECONDS = 75.0
"""A dry run waits for vLLM's own parser, which takes up to a minute on a Spark."""
_PATIENCE_SECONDS = 2.0
_FRESH = timedelta(seconds=10)

PartsOf = Annotated[Parts, Depends(parts_of)]
IdInPath = Annotated[SwapId, Path(description="Id of the swap.")]
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=1024),
]
Token = Annotated[
    SecretStr | None,
    Header(alias="X-Swap-Lock-Token", min_length=1, max_length=512),
]


class SwapOrder(BaseModel):
    """The body of `POST /api/swap`. The lease's token travels in a header, never in here."""

    model_config = ConfigDict(extra="forbid")

    model: Text
    """Key, repository or served name of a model on the menu."""
    requested_by: Text = "someone"
    when_busy: Literal["reject", "queue"] = "reject"
    rollback: bool = False
    force: bool = False
    """Cut off answers that are still being written at the end of the drain."""
    drop_caches: bool = False
    """Empty the page cache of the Sparks before the load."""
    reload: bool = False
    """Start the model afresh although it is the one that serves."""
    dry_run: bool = False
    id: SwapId | None = None


@router.post(
    "",
    status_code=202,
    responses={
        200: {"model": SwapView, "description": "a dry run: what would be done"},
        **problems(404, *CHANGE),
    },
)
async def request_swap(
    request: Request,
    response: Response,
    parts: PartsOf,
    order: Annotated[SwapOrder, Body()],
    idempotency_key: Key = None,
    lock_token: Token = None,
) -> SwapView:
    """Ask for a model. The answer comes once the swap is stored; follow it at `Location`."""
    swap_id = id_for(idempotency_key, order.id)
    question = RequestSwap(
        model=order.model,
        requested_by=order.requested_by,
        when_busy=order.when_busy,
        rollback=order.rollback,
        force=order.force,
        drop_caches=order.drop_caches,
        reload=order.reload,
        dry_run=order.dry_run,
        lock_token=lock_token,
        id=swap_id,
    )
    try:
        view = await parts.bus.call(
            REQUEST_SWAP,
            question,
            timeout_seconds=DRY_RUN_SECONDS if order.dry_run else ASK_SECONDS,
            correlation_id=request_id_of(request.scope),
        )
    except DeadlineExceededError as late:
        raise OutcomeUnknownError(
            "no answer in time: the swap may or may not have been accepted; "
            f"repeat the request with Idempotency-Key: {swap_id}",
            swap_id=swap_id,
        ) from late
    parts.board.poke()
    if order.dry_run:
        response.status_code = 200
    else:
        response.headers["Location"] = f"/api/swap/{view.id}"
    return view


@router.get("", responses=problems(*READ))
async def list_swaps(
    request: Request,
    parts: PartsOf,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    before: Annotated[
        AwareDatetime | None,
        Query(description="Only swaps asked for earlier: `created_at` of the last one shown."),
    ] = None,
    model: Annotated[Text | None, Query(description="Only swaps to this key.")] = None,
) -> Swaps:
    """The swap that runs, those that wait, and the latest ones, ninety days back."""
    return await parts.bus.call(
        LIST_SWAPS,
        ListSwaps(limit=limit, before=before, model=model),
        timeout_seconds=ASK_SECONDS,
        correlation_id=request_id_of(request.scope),
    )


@router.get("/{id}", responses=problems(404, *READ))
async def get_swap(request: Request, parts: PartsOf, id: IdInPath) -> SwapView:
    """One swap."""
    view = await _view(request, parts, id)
    if view.finished_at is not None and _is_fresh(view.finished_at, parts.clock):
        # Who reads the end here may chat at once: the data plane has to know it first.
        await parts.hub.all_outcomes_told()
    return view


@router.delete("/{id}", status_code=202, responses=problems(403, 404, 409, *READ))
async def cancel_swap(
    request: Request,
    parts: PartsOf,
    id: IdInPath,
    requested_by: Annotated[Text, Query(description="A label for people: who asked.")] = "someone",
) -> SwapView:
    """Ask to stop a swap. What is already past is not undone."""
    view = await parts.bus.call(
        CANCEL_SWAP,
        CancelSwap(id=id, requested_by=requested_by),
        timeout_seconds=ASK_SECONDS,
        correlation_id=request_id_of(request.scope),
    )
    parts.board.poke()
    return view


@router.get(
    "/{id}/stream",
    response_class=Response,
    responses={
        **EVENT_STREAM,
        204: {"description": "the client already has the outcome: nothing follows"},
        **problems(404, *READ),
    },
)
async def stream_swap(
    request: Request,
    parts: PartsOf,
    id: IdInPath,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=200)] = None,
) -> Response:
    """The events of one swap from its beginning, or from `Last-Event-ID` on, to its outcome.

    Events: `swap.progress`, then one of `swap.complete` and `swap.failed`, then the end.
    `reset` says that the id was of another stream and that everything follows again.
    """
    thread = Thread("swap", id)
    outcome = await parts.hub.outcome(thread)
    if not await parts.hub.wait_caught_up(_PATIENCE_SECONDS):
        raise UnavailableError("the event streams are not there yet; try again in a moment")
    if outcome is not None and last_event_id == outcome.event_id:
        return Response(status_code=204)
    if outcome is None and not await parts.hub.has_progress(thread):
        view = await _view(request, parts, id)
        if view.phase in TERMINAL:
            return Response(status_code=204)
    client = Subscriber()
    story = Story(parts.bus, parts.hub, parts.clock, thread, client)
    return EventStream(story.frames(last_event_id), client.dropped)


def _is_fresh(finished_at: datetime, clock: Clock) -> bool:
    return clock.now() - finished_at < _FRESH


async def _view(request: Request, parts: Parts, id: str) -> SwapView:
    return await parts.bus.call(
        GET_SWAP,
        GetSwap(id=id),
        timeout_seconds=ASK_SECONDS,
        correlation_id=request_id_of(request.scope),
    )
