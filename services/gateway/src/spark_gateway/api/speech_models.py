"""``/api/speech-models``: the speech container, our two files in it, and caring for both."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel, ConfigDict, SecretStr

from spark_common.contracts.jobs import JobId
from spark_common.contracts.rpc import Rpc
from spark_common.contracts.speech_models import (
    CANCEL_SPEECH_JOB,
    GET_SPEECH_JOB,
    GET_SPEECH_MODELS,
    READ_SPEECH_LOG,
    REAPPLY_SPEECH,
    RESTART_SPEECH,
    UNDO_SPEECH,
    ChangeSpeechModels,
    GetSpeechModels,
    SpeechJobView,
    SpeechModels,
)
from spark_common.contracts.swaps import Text
from spark_gateway.api.asking import IdempotencyKey, LockToken, ask, begin, locate
from spark_gateway.api.errors_doc import CHANGE, READ, problems
from spark_gateway.api.job_routes import JobVerbs, add_job_routes
from spark_gateway.control_route import ControlRoute
from spark_gateway.idempotency import id_for

_LOOK_SECONDS = 70.0
"""docker on the Spark is asked, and copies the files out."""

router = APIRouter(prefix="/api/speech-models", tags=["speech"], route_class=ControlRoute)


class SpeechOrder(BaseModel):
    """The body of the three orders; it may be empty."""

    model_config = ConfigDict(extra="forbid")

    requested_by: Text = "someone"
    id: JobId | None = None


Order = Annotated[SpeechOrder | None, Body()]


@router.get("", responses=problems(*READ))
async def get_speech_models(request: Request) -> SpeechModels:
    """How the speech container is, and whether our files in it are as they shipped."""
    return await ask(request, GET_SPEECH_MODELS, GetSpeechModels(), _LOOK_SECONDS)


@router.post("/reapply", status_code=202, responses=problems(*CHANGE))
async def reapply_speech(
    request: Request,
    response: Response,
    order: Order = None,
    idempotency_key: IdempotencyKey = None,
    lock_token: LockToken = None,
) -> SpeechJobView:
    """Put our files into the container, restart it, and wait until it is ready.

    The container's own Python reads the files first, what they replace is kept, and it comes back
    by itself when speech does not become ready.
    """
    return await _begin(request, response, REAPPLY_SPEECH, order, idempotency_key, lock_token)


@router.post("/undo", status_code=202, responses=problems(*CHANGE))
async def undo_speech(
    request: Request,
    response: Response,
    order: Order = None,
    idempotency_key: IdempotencyKey = None,
    lock_token: LockToken = None,
) -> SpeechJobView:
    """Bring back what the latest reapply replaced, restart, and wait until speech is ready."""
    return await _begin(request, response, UNDO_SPEECH, order, idempotency_key, lock_token)


@router.post("/restart", status_code=202, responses=problems(*CHANGE))
async def restart_speech(
    request: Request,
    response: Response,
    order: Order = None,
    idempotency_key: IdempotencyKey = None,
    lock_token: LockToken = None,
) -> SpeechJobView:
    """Restart the container, and wait until speech is ready."""
    return await _begin(request, response, RESTART_SPEECH, order, idempotency_key, lock_token)


async def _begin(
    request: Request,
    response: Response,
    verb: Rpc[ChangeSpeechModels, SpeechJobView],
    order: SpeechOrder | None,
    key: str | None,
    lock_token: SecretStr | None,
) -> SpeechJobView:
    order = order or SpeechOrder()
    job_id = id_for(key, order.id)
    question = ChangeSpeechModels(requested_by=order.requested_by, lock_token=lock_token, id=job_id)
    view = await begin(request, verb, question, "job", job_id, _LOOK_SECONDS)
    locate(response, "api", "speech-models", "jobs", view.id)
    return view


add_job_routes(
    router,
    "/jobs/{id}",
    JobVerbs(
        kind="overlay",
        get=GET_SPEECH_JOB,
        cancel=CANCEL_SPEECH_JOB,
        cancelled="What it replaced so far is brought back.",
        log=READ_SPEECH_LOG,
    ),
)
