"""The part of ``/v1`` that is answered here: what is loaded. All other paths are bytes."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute
from pydantic import BaseModel

from spark_gateway.api.errors_doc import openai_errors
from spark_gateway.errors import HttpFaultError
from spark_gateway.parts import Parts, parts_of
from spark_gateway.served import ServedModel


class OpenRoute(APIRoute):
    """A route that any origin may read: it only says what is loaded and takes no cookie."""

    stance = "open: only reads, and browser apps of other origins are meant to"


router = APIRouter(prefix="/v1", tags=["openai"], route_class=OpenRoute)


class LoadState(BaseModel):
    """The badge that chat front ends look for."""

    value: Literal["loaded"] = "loaded"


class ListedModel(BaseModel):
    """A model in OpenAI's list shape. Absent fields are left out: some clients choke on null."""

    id: str
    object: Literal["model"] = "model"
    created: int
    """Epoch seconds."""
    owned_by: str
    root: str | None = None
    max_model_len: int | None = None
    """Tokens."""
    status: LoadState = LoadState()


class ModelList(BaseModel):
    """OpenAI's list shape."""

    object: Literal["list"] = "list"
    data: list[ListedModel]


@router.get("/models", response_model_exclude_none=True)
async def list_served(parts: Annotated[Parts, Depends(parts_of)]) -> ModelList:
    """The loaded models; empty when nothing is loaded. Never waits long for a Spark."""
    await parts.served.up_to_date()
    return ModelList(data=[_listed(model) for model in parts.served.models()])


@router.get(
    "/models/{id:path}", response_model_exclude_none=True, responses=openai_errors(404, 422)
)
async def get_served(parts: Annotated[Parts, Depends(parts_of)], id: str) -> ListedModel:
    """One loaded model."""
    await parts.served.up_to_date()
    for model in parts.served.models():
        if model.id == id:
            return _listed(model)
    raise HttpFaultError(
        404, "model_not_found", "no such model is loaded; GET /v1/models names what is"
    )


def _listed(model: ServedModel) -> ListedModel:
    return ListedModel(
        id=model.id,
        created=model.created,
        owned_by=model.owned_by,
        root=model.root,
        max_model_len=model.max_model_len,
    )
