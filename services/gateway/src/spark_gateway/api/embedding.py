"""``/api/embedding``: the embedding server on its Spark, and installing it there."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel, ConfigDict

from spark_common.contracts.embedding import (
    CANCEL_INSTALL,
    GET_EMBEDDING,
    GET_INSTALL,
    INSTALL_EMBEDDING,
    READ_INSTALL_LOG,
    EmbeddingView,
    GetEmbedding,
    InstallEmbedding,
    InstallView,
)
from spark_common.contracts.jobs import JobId
from spark_common.contracts.swaps import Text
from spark_gateway.api.asking import IdempotencyKey, ask, begin, locate
from spark_gateway.api.errors_doc import CHANGE, READ, problems
from spark_gateway.api.job_routes import JobVerbs, add_job_routes
from spark_gateway.control_route import ControlRoute
from spark_gateway.idempotency import id_for

_LOOK_SECONDS = 12.0
"""The server itself is asked, and may be loading."""

router = APIRouter(prefix="/api/embedding", tags=["embedding"], route_class=ControlRoute)


class InstallOrder(BaseModel):
    """The body of `POST /api/embedding/install`; it may be empty."""

    model_config = ConfigDict(extra="forbid")

    requested_by: Text = "someone"
    id: JobId | None = None


@router.get("", responses=problems(*READ))
async def get_embedding(request: Request) -> EmbeddingView:
    """How the embedding server is, and the installation that runs or ran last."""
    return await ask(request, GET_EMBEDDING, GetEmbedding(), _LOOK_SECONDS)


@router.post("/install", status_code=202, responses=problems(*CHANGE))
async def install_embedding(
    request: Request,
    response: Response,
    order: Annotated[InstallOrder | None, Body()] = None,
    idempotency_key: IdempotencyKey = None,
) -> InstallView:
    """Build the container on its Spark and start it in place of the one that runs."""
    asked = order or InstallOrder()
    job_id = id_for(idempotency_key, asked.id)
    question = InstallEmbedding(requested_by=asked.requested_by, id=job_id)
    view = await begin(request, INSTALL_EMBEDDING, question, "job", job_id)
    locate(response, "api", "embedding", "jobs", view.id)
    return view


add_job_routes(
    router,
    "/jobs/{id}",
    JobVerbs(
        kind="install",
        get=GET_INSTALL,
        cancel=CANCEL_INSTALL,
        cancelled="What ran before the new container was started goes on.",
        log=READ_INSTALL_LOG,
    ),
)
