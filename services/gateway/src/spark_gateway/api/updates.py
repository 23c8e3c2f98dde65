"""``/api/updates``: the cluster software, what is pending, updating it and going back."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from spark_common.contracts.downloads import HostName
from spark_common.contracts.jobs import JobId
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
from spark_gateway.api.asking import IdempotencyKey, LockToken, ask, begin, change, locate
from spark_gateway.api.errors_doc import CHANGE, READ, problems
from spark_gateway.api.job_routes import JobVerbs, add_job_routes
from spark_gateway.control_route import ControlRoute
from spark_gateway.idempotency import id_for

_FETCH_SECONDS = 95.0
"""A refresh fetches from the site of the software, which may be slow."""
_LOOK_SECONDS = 30.0
"""Nothing is begun without a fresh look at every Spark."""

router = APIRouter(prefix="/api/updates", tags=["updates"], route_class=ControlRoute)


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
    refresh: Annotated[
        bool, Query(description="Ask the site of the software for news first.")
    ] = False,
) -> Updates:
    """What is installed on each Spark, what is pending, what one can go back to."""
    if refresh:
        return await change(request, GET_UPDATES, GetUpdates(refresh=True), _FETCH_SECONDS)
    return await ask(request, GET_UPDATES, GetUpdates())


@router.post("/apply", status_code=202, responses=problems(404, *CHANGE))
async def apply_updates(
    request: Request,
    response: Response,
    order: Annotated[ApplyOrder | None, Body()] = None,
    idempotency_key: IdempotencyKey = None,
    lock_token: LockToken = None,
) -> UpdateView:
    """Get the new commits and images on every Spark. The loaded model goes on meanwhile."""
    order = order or ApplyOrder()
    job_id = id_for(idempotency_key, order.id)
    question = ApplyUpdates(
        requested_by=order.requested_by, hosts=order.hosts, lock_token=lock_token, id=job_id
    )
    view = await begin(request, APPLY_UPDATES, question, "job", job_id, _LOOK_SECONDS)
    locate(response, "api", "updates", "jobs", view.id)
    return view


@router.post("/revert", status_code=202, responses=problems(*CHANGE))
async def revert_updates(
    request: Request,
    response: Response,
    order: Annotated[RevertOrder | None, Body()] = None,
    idempotency_key: IdempotencyKey = None,
    lock_token: LockToken = None,
) -> UpdateView:
    """Go back to the images and the commit that were in use before the last update."""
    order = order or RevertOrder()
    job_id = id_for(idempotency_key, order.id)
    question = RevertUpdates(requested_by=order.requested_by, lock_token=lock_token, id=job_id)
    view = await begin(request, REVERT_UPDATES, question, "job", job_id, _LOOK_SECONDS)
    locate(response, "api", "updates", "jobs", view.id)
    return view


add_job_routes(
    router,
    "/jobs/{id}",
    JobVerbs(
        kind="update",
        get=GET_UPDATE_JOB,
        cancel=CANCEL_UPDATE,
        cancelled="What it changed so far is taken back.",
        log=READ_UPDATE_LOG,
    ),
)
