"""``/api/downloads``: bring a repository to the Sparks' disks, follow it, stop it."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from spark_common.contracts.downloads import (
    CANCEL_DOWNLOAD,
    GET_DOWNLOAD,
    LIST_DOWNLOADS,
    PLAN_DOWNLOAD,
    READ_DOWNLOAD_LOG,
    START_DOWNLOAD,
    DownloadPlan,
    Downloads,
    DownloadView,
    HostName,
    ListDownloads,
    PlanDownload,
    RepoName,
    StartDownload,
)
from spark_common.contracts.jobs import JobId
from spark_common.contracts.swaps import Text
from spark_gateway.api.asking import IdempotencyKey, ask, begin, locate
from spark_gateway.api.errors_doc import CHANGE, READ, problems
from spark_gateway.api.job_routes import JobVerbs, add_job_routes
from spark_gateway.control_route import ControlRoute
from spark_gateway.idempotency import id_for

_PLAN_SECONDS = 60.0
"""A plan asks the hub, through a program on a Spark."""

router = APIRouter(prefix="/api/downloads", tags=["downloads"], route_class=ControlRoute)


class DownloadOrder(BaseModel):
    """The body of `POST /api/downloads`."""

    model_config = ConfigDict(extra="forbid")

    repo: RepoName
    hosts: Annotated[list[HostName], Field(min_length=1, max_length=16)]
    """The Sparks that shall have it: `spark1`, `spark2`."""
    requested_by: Text = "someone"
    id: JobId | None = None


@router.post("/plan", responses=problems(404, *CHANGE))
async def plan_download(request: Request, order: Annotated[PlanDownload, Body()]) -> DownloadPlan:
    """What a download would need: bytes, space, time, and why it would be refused."""
    return await ask(request, PLAN_DOWNLOAD, order, _PLAN_SECONDS)


@router.post("", status_code=202, responses=problems(404, *CHANGE))
async def start_download(
    request: Request,
    response: Response,
    order: Annotated[DownloadOrder, Body()],
    idempotency_key: IdempotencyKey = None,
) -> DownloadView:
    """Download a repository, or go on with a half download of it."""
    job_id = id_for(idempotency_key, order.id)
    question = StartDownload(
        repo=order.repo, hosts=order.hosts, requested_by=order.requested_by, id=job_id
    )
    view = await begin(request, START_DOWNLOAD, question, "job", job_id)
    locate(response, "api", "downloads", view.id)
    return view


@router.get("", responses=problems(*READ))
async def list_downloads(
    request: Request, limit: Annotated[int, Query(ge=1, le=200)] = 20
) -> Downloads:
    """The downloads that run, and the latest ones that ended."""
    return await ask(request, LIST_DOWNLOADS, ListDownloads(limit=limit))


add_job_routes(
    router,
    "/{id}",
    JobVerbs(
        kind="download",
        get=GET_DOWNLOAD,
        cancel=CANCEL_DOWNLOAD,
        cancelled="What is on the disks stays there.",
        log=READ_DOWNLOAD_LOG,
    ),
)
