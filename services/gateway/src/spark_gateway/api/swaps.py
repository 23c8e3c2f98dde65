"""``/api/swap``: ask for a model, follow it, stop it."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict

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
from spark_gateway.api.asking import (
    ASK_SECONDS,
    IdempotencyKey,
    LockToken,
    PartsOf,
    WhoAsked,
    ask,
    begin,
    change,
    locate,
)
from spark_gateway.api.errors_doc import CHANGE, READ, REMOVE, problems
from spark_gateway.api.following import FOLLOWED, LastEventId, follow
from spark_gateway.control_route import ControlRoute
from spark_gateway.idempotency import id_for
from spark_gateway.streams.entry import Thread

router = APIRouter(prefix="/api/swap", tags=["swaps"], route_class=ControlRoute)

_DRY_RUN_SECONDS = 75.0
"""A dry run waits for vLLM's own parser, which takes up to a minute on a Spark."""
_FRESH = timedelta(seconds=10)

IdInPath = Annotated[SwapId, Path(description="Id of the swap.")]


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
    force: Annotated[
        bool,
        Query(description="Swap through the reservation of whoever holds it: a person's decision."),
    ] = False,
    idempotency_key: IdempotencyKey = None,
    lock_token: LockToken = None,
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
        override_lease=force,
        lock_token=lock_token,
        id=swap_id,
    )
    seconds = _DRY_RUN_SECONDS if order.dry_run else ASK_SECONDS
    view = await begin(request, REQUEST_SWAP, question, "swap", swap_id, seconds)
    if order.dry_run:
        response.status_code = 200
    else:
        # Who reads this may ask for the model at once: it has to be awaited by then.
        parts.board.accepted(view)
        locate(response, "api", "swap", view.id)
    return view


@router.get("", responses=problems(*READ))
async def list_swaps(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    before: Annotated[
        AwareDatetime | None,
        Query(description="Only swaps asked for earlier: `created_at` of the last one shown."),
    ] = None,
    model: Annotated[Text | None, Query(description="Only swaps to this key.")] = None,
) -> Swaps:
    """The swap that runs, those that wait, and the latest ones, ninety days back."""
    return await ask(request, LIST_SWAPS, ListSwaps(limit=limit, before=before, model=model))


@router.get("/{id}", responses=problems(404, *READ))
async def get_swap(request: Request, parts: PartsOf, id: IdInPath) -> SwapView:
    """One swap."""
    view = await ask(request, GET_SWAP, GetSwap(id=id))
    if view.finished_at is not None and _is_fresh(view.finished_at, parts.clock):
        # Who reads the end here may chat at once: the data plane has to know it first.
        await parts.hub.all_outcomes_told()
    return view


@router.delete("/{id}", status_code=202, responses=problems(404, *REMOVE))
async def cancel_swap(
    request: Request, id: IdInPath, requested_by: WhoAsked = "someone"
) -> SwapView:
    """Ask to stop a swap. What is already past is not undone."""
    return await change(request, CANCEL_SWAP, CancelSwap(id=id, requested_by=requested_by))


@router.get("/{id}/stream", response_class=Response, responses=FOLLOWED)
async def stream_swap(
    request: Request, parts: PartsOf, id: IdInPath, last_event_id: LastEventId = None
) -> Response:
    """The events of one swap from its beginning, or from `Last-Event-ID` on, to its outcome.

    Events: `swap.progress`, then one of `swap.complete` and `swap.failed`, then the end.
    `reset` says that the id was of another stream and that everything follows again.
    """

    async def is_over() -> bool:
        return (await ask(request, GET_SWAP, GetSwap(id=id))).phase in TERMINAL

    return await follow(parts, parts.hub, Thread("swap", id), is_over, last_event_id)


def _is_fresh(finished_at: datetime, clock: Clock) -> bool:
    return clock.now() - finished_at < _FRESH
