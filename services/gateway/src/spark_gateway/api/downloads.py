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
from spark_common.contracts.jobs import CancelJob, GetJob, JobId, JobLog
from spark_common.contracts.swaps import Text
from spark_gateway.api.errors_doc import CHANGE, READ, problems
from spark_gateway.api.job_routes import IdInPath, Key, LastEventId, PartsOf, ask, follow, start
from spark_gateway.api.live import EVENT_STREAM
from spark_gateway.control_route import ControlRoute
from spark_gateway.idempotency import id_for
from spark_gateway.streams.entry import Thread

KIND = "download"
_PLAN_SECONDS = 60.0
"""A plan asks the hub, through a program on a Spark."""
_LOG_SECONDS = 15.0

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
async def plan_download(
    request: Request, parts: PartsOf, order: Annotated[PlanDownload, Body()]
) -> DownloadPlan:
    """What a download would need: bytes, space, time, and why it would be refused."""
    return await ask(request, parts, PLAN_DOWNLOAD, order, _PLAN_SECONDS)


@router.post("", status_code=202, responses=problems(404, *CHANGE))
async def start_download(
    request: Request,
    response: Response,
    parts: PartsOf,
    order: Annotated[DownloadOrder, Body()],
    idempotency_key: Key = None,
) -> DownloadView:
    """Download a repository, or go on with a half download of it."""
    job_id = id_for(idempotency_key, order.id)
    question = StartDownload(
        repo=order.repo, hosts=order.hosts, requested_by=order.requested_by, id=job_id
    )
    view = await start(request, parts, START_DOWNLOAD, question, job_id)
    response.headers["Location"] = f"/api/downloads/{view.id}"
    return view


@router.get("", responses=problems(*READ))
async def list_downloads(
    request: Request, parts: PartsOf, limit: Annotated[int, Query(ge=1, le=200)] = 20
) -> Downloads:
    """The downloads that run, and the latest ones that ended."""
    return await ask(request, parts, LIST_DOWNLOADS, ListDownloads(limit=limit))


@router.get("/{id}", responses=problems(404, *READ))
async def get_download(request: Request, parts: PartsOf, id: IdInPath) -> DownloadView:
    """One download."""
    return await ask(request, parts, GET_DOWNLOAD, GetJob(id=id))


@router.delete("/{id}", status_code=202, responses=problems(403, 404, 409, *READ))
async def cancel_download(
    request: Request,
    parts: PartsOf,
    id: IdInPath,
    requested_by: Annotated[Text, Query(description="A label for people: who asked.")] = "someone",
) -> DownloadView:
    """Ask to stop a download. What is on the disks stays there."""
    question = CancelJob(id=id, requested_by=requested_by)
    view = await ask(request, parts, CANCEL_DOWNLOAD, question)
    parts.board.poke()
    return view


@router.get("/{id}/log", responses=problems(404, *READ))
async def read_download_log(request: Request, parts: PartsOf, id: IdInPath) -> JobLog:
    """The end of what the programs of a download wrote."""
    return await ask(request, parts, READ_DOWNLOAD_LOG, GetJob(id=id), _LOG_SECONDS)


@router.get(
    "/{id}/stream",
    response_class=Response,
    responses={
        **EVENT_STREAM,
        204: {"description": "the client already has the outcome: nothing follows"},
        **problems(404, *READ),
    },
)
async def stream_download(
    request: Request, parts: PartsOf, id: IdInPath, last_event_id: LastEventId = None
) -> Response:
    """The events of one download from its beginning, or from `Last-Event-ID` on, to its outcome.

    Events: `download.progress`, then one of `download.complete` and `download.failed`, then the
    end. `reset` says that the id was of another stream and that everything follows again.
    """
    return await follow(request, parts, GET_DOWNLOAD, Thread(KIND, id), last_event_id)
