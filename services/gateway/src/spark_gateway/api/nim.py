"""``/api/nim``: NIM services of NVIDIA's registry, installing them and removing them."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from spark_common.contracts.jobs import JobId
from spark_common.contracts.nim import (
    CANCEL_NIM_JOB,
    GET_NIM_CATALOG,
    GET_NIM_JOB,
    INSTALL_NIM,
    READ_NIM_LOG,
    REMOVE_NIM,
    GetNimCatalog,
    InstallNim,
    NimCatalog,
    NimInstallView,
    NimName,
    NimRemoved,
    NimWish,
    RemoveNim,
)
from spark_gateway.api.asking import (
    IdempotencyKey,
    LockToken,
    WhoAsked,
    ask,
    begin,
    change,
    locate,
)
from spark_gateway.api.errors_doc import CHANGE, READ, REMOVE, problems
from spark_gateway.api.job_routes import JobVerbs, add_job_routes
from spark_gateway.control_route import ControlRoute
from spark_gateway.idempotency import id_for

_REMOVE_SECONDS = 70.0
"""Docker stops the container and deletes what may be fifty gigabytes."""

router = APIRouter(prefix="/api/nim", tags=["nim"], route_class=ControlRoute)

NameInPath = Annotated[NimName, Path(description="Name of the service.")]


class NimOrder(NimWish):
    """The body of `POST /api/nim/install`."""

    id: JobId | None = Field(default=None, description="Idempotency key, as the header.")


@router.get("/catalog", responses=problems(*READ))
async def get_nim_catalog(request: Request) -> NimCatalog:
    """What can be installed, what is, and the installation that runs or ran last."""
    return await ask(request, GET_NIM_CATALOG, GetNimCatalog())


@router.post("/install", status_code=202, responses=problems(404, *CHANGE))
async def install_nim(
    request: Request,
    response: Response,
    order: NimOrder,
    idempotency_key: IdempotencyKey = None,
    lock_token: LockToken = None,
) -> NimInstallView:
    """Get a NIM, start it on a Spark and wait until it is ready.

    Refused while a swap runs on that Spark; while somebody else holds the cluster, or where its
    memory would not fit beside what is loaded, unless `force` is true.

    The key is kept for this installation only; nothing ever answers with it.
    """
    job_id = id_for(idempotency_key, order.id)
    question = InstallNim.model_validate({**dict(order), "id": job_id, "lock_token": lock_token})
    view = await begin(request, INSTALL_NIM, question, "job", job_id)
    locate(response, "api", "nim", "jobs", view.id)
    return view


add_job_routes(
    router,
    "/jobs/{id}",
    JobVerbs(
        kind="install",
        get=GET_NIM_JOB,
        cancel=CANCEL_NIM_JOB,
        cancelled="Nothing of it runs afterwards; what was downloaded is kept.",
        log=READ_NIM_LOG,
    ),
)


@router.delete("/{name}", responses=problems(404, *REMOVE))
async def remove_nim(
    request: Request,
    name: NameInPath,
    volume: Annotated[bool, Query(description="Delete what it downloaded too.")] = False,
    requested_by: WhoAsked = "someone",
) -> NimRemoved:
    """Stop and remove the container of a NIM; its volume only where that is asked for."""
    question = RemoveNim(name=name, volume=volume, requested_by=requested_by)
    return await change(request, REMOVE_NIM, question, _REMOVE_SECONDS)
