"""``/api/updates``: the cluster software, what is pending, updating it and going back."""

from typing import Annotated

from fastapi import APIRouter, Body, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from spark_common.contracts.downloads import HostName
from spark_common.contracts.jobs import CancelJob, GetJob, JobId, JobLog
from spark_common.contracts.swaps import Text
from spark_common.contracts.updates import (
    APPLY_UPDATES,
    CANCEL_UPDATE,
    GET_UPDATE_JOB,
    GET_UPDATES,
    READ_UPDATE_LOG,
    REVERT_UPDATES,
    ApplyUpdates,
    GetUpdates,
    RevertUpdates,
    Updates,
    UpdateView,
)
from spark_gateway.api.errors_doc import CHANGE, READ, problems
from spark_gateway.api.job_routes import IdInPath, Key, LastEventId, PartsOf, ask, follow, start
from spark_gateway.api.live import EVENT_STREAM
from spark_gateway.api.models import ASK_SECONDS
from spark_gateway.control_route import ControlRoute
from spark_gateway.idempotency import id_for
from spark_gateway.streams.entry import Thread

KIND = "update"
_FETCH_SECONDS = 95.0
"""A refresh fetches from the site of the software, which may be slow."""
_LOOK_SECONDS = 30.0
"""Nothing is begun without a fresh look at every Spark."""
_LOG_SECONDS = 15.0

router = APIRouter(prefix="/api/updates", tags=["updates"], route_class=ControlRoute)

Token = Annotated[
    SecretStr | None,
    Header(alias="X-Swap-Lock-Token", min_length=1, max_length=512),
]


class RevertOrder(BaseModel):
    """The body of `POST /api/updates/revert`; it may be empty."""

    model_config = ConfigDict(extra="forbid")

    requested_by: Text = "someone"
    id: JobId | None = None


class ApplyOrder(RevertOrder):
    """The body of `POST /api/updates/apply`; it may be empty."""

    hosts: Annotated[list[HostName], Field(max_length=16)] = []
    """Empty: every Spark; the first of them builds, the others get copies."""


@router.get("", responses=problems(*READ))
async def get_updates(
    request: Request,
    parts: PartsOf,
    refresh: Annotated[
        bool, Query(description="Ask the site of the software for news first.")
    ] = False,
) -> Updates:
    """What is installed on each Spark, what is pending, what one can go back to."""
    seconds = _FETCH_SECONDS if refresh else ASK_SECONDS
    answer = await ask(request, parts, GET_UPDATES, GetUpdates(refresh=refresh), seconds)
    if refresh:
        parts.board.poke()
    return answer


@router.post("/apply", status_code=202, responses=problems(404, *CHANGE))
async def apply_updates(
    request: Request,
    response: Response,
    parts: PartsOf,
    order: Annotated[ApplyOrder | None, Body()] = None,
    idempotency_key: Key = None,
    lock_token: Token = None,
) -> UpdateView:
    """Get the new commits and images on every Spark. The loaded model goes on meanwhile."""
    order = order or ApplyOrder()
    job_id = id_for(idempotency_key, order.id)
    question = ApplyUpdates(
        requested_by=order.requested_by, hosts=order.hosts, lock_token=lock_token, id=job_id
    )
    view = await start(request, parts, APPLY_UPDATES, question, job_id, _LOOK_SECONDS)
    response.headers["Location"] = f"/api/updates/jobs/{view.id}"
    return view


@router.post("/revert", status_code=202, responses=problems(*CHANGE))
async def revert_updates(
    request: Request,
    response: Response,
    parts: PartsOf,
    order: Annotated[RevertOrder | None, Body()] = None,
    idempotency_key: Key = None,
    lock_token: Token = None,
) -> UpdateView:
    """Go back to the images and the commit that were in use before the last update."""
    order = order or RevertOrder()
    job_id = id_for(idempotency_key, order.id)
    question = RevertUpdates(requested_by=order.requested_by, lock_token=lock_token, id=job_id)
    view = await start(request, parts, REVERT_UPDATES, question, job_id, _LOOK_SECONDS)
    response.headers["Location"] = f"/api/updates/jobs/{view.id}"
    return view


@router.get("/jobs/{id}", responses=problems(404, *READ))
async def get_update(request: Request, parts: PartsOf, id: IdInPath) -> UpdateView:
    """One update, or one way back."""
    return await ask(request, parts, GET_UPDATE_JOB, GetJob(id=id))


@router.delete("/jobs/{id}", status_code=202, responses=problems(403, 404, 409, *READ))
async def cancel_update(
    request: Request,
    parts: PartsOf,
    id: IdInPath,
    requested_by: Annotated[Text, Query(description="A label for people: who asked.")] = "someone",
) -> UpdateView:
    """Ask to stop an update. What it changed so far is taken back."""
    question = CancelJob(id=id, requested_by=requested_by)
    view = await ask(request, parts, CANCEL_UPDATE, question)
    parts.board.poke()
    return view


@router.get("/jobs/{id}/log", responses=problems(404, *READ))
async def read_update_log(request: Request, parts: PartsOf, id: IdInPath) -> JobLog:
    """The end of what the programs of an update wrote on the Spark."""
    return await ask(request, parts, READ_UPDATE_LOG, GetJob(id=id), _LOG_SECONDS)


@router.get(
    "/jobs/{id}/stream",
    response_class=Response,
    responses={
        **EVENT_STREAM,
        204: {"description": "the client already has the outcome: nothing follows"},
        **problems(404, *READ),
    },
)
async def stream_update(
    request: Request, parts: PartsOf, id: IdInPath, last_event_id: LastEventId = None
) -> Response:
    """The events of one update from its beginning, or from `Last-Event-ID` on, to its outcome.

    Events: `update.progress`, then one of `update.complete` and `update.failed`, then the end.
    """
    return await follow(request, parts, GET_UPDATE_JOB, Thread(KIND, id), last_event_id)
