"""The part of ``/v1`` that is answered here: which models there are. Other paths are bytes."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel

from spark_gateway.api.errors_doc import openai_errors
from spark_gateway.catalogue import Known
from spark_gateway.errors import HttpFaultError
from spark_gateway.keys.control_door import holder_in
from spark_gateway.parts import Parts, parts_of


class OpenRoute(APIRoute):
    """A route that any origin may read: it only says what is loaded and takes no cookie."""

    stance = "open: only reads, and browser apps of other origins are meant to"


router = APIRouter(prefix="/v1", tags=["openai"], route_class=OpenRoute)


class LoadState(BaseModel):
    """The badge that chat front ends look for."""

    value: Literal["loaded", "loading", "unloaded", "unreachable"]
    """Unloaded: on the menu. Unreachable: it was loaded when its server last answered."""


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
    kind: Literal["chat", "embedding", "rerank", "transcription", "speech"]
    status: LoadState
    stale: Literal[True] | None = None
    """Its server does not answer just now; this is what was last known."""
    capabilities: list[str] | None = None
    """Of ``chat``, ``vision``, ``tools``, ``reasoning``."""
    aliases: list[str] | None = None
    """Other names under which it answers."""


class ModelList(BaseModel):
    """OpenAI's list shape."""

    object: Literal["list"] = "list"
    data: list[ListedModel]


@router.get("/models", response_model_exclude_none=True)
async def list_models(request: Request, parts: Annotated[Parts, Depends(parts_of)]) -> ModelList:
    """What is loaded, what of the menu could be, and what runs beside it. Never waits for a
    Spark. A key with a list of models is told of those alone."""
    await parts.served.up_to_date()
    listed = parts.catalogue.listed()
    return ModelList(data=[_listed(each) for each in listed if _is_for(request, each)])


@router.get(
    "/models/{id:path}", response_model_exclude_none=True, responses=openai_errors(404, 422)
)
async def get_model(
    request: Request, parts: Annotated[Parts, Depends(parts_of)], id: str
) -> ListedModel:
    """One model, by any of its names."""
    await parts.served.up_to_date()
    model = parts.catalogue.find(id)
    if model is None or not _is_for(request, model):
        raise HttpFaultError(
            404, "model_not_found", "there is no such model; GET /v1/models names all there are"
        )
    return _listed(model)


def _is_for(request: Request, model: Known) -> bool:
    """Whether whoever asks may use it, by any of its names."""
    holder = holder_in(request.scope)
    return holder is None or any(map(holder.may_use, (model.id, *model.names)))


def _listed(model: Known) -> ListedModel:
    return ListedModel(
        id=model.id,
        created=model.created,
        owned_by=model.owned_by,
        root=model.root,
        max_model_len=model.max_model_len,
        kind=model.kind,
        status=LoadState(value=model.state),
        stale=True if model.stale else None,
        capabilities=list(model.capabilities) or None,
        aliases=list(model.names) or None,
    )
