"""The part of ``/v1`` that is answered here: which models there are. Other paths are bytes."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel

from spark_gateway.api.anthropic import ClaudeList, ClaudeModel, listed_page, listed_single
from spark_gateway.api.errors_doc import openai_errors
from spark_gateway.catalogue import Known
from spark_gateway.errors import HttpFaultError
from spark_gateway.keys.control_door import holder_in
from spark_gateway.parts import Parts, parts_of
from spark_gateway.speech_watch import Voice


class OpenRoute(APIRoute):
    """A route that any origin may read: it only says what is loaded and takes no cookie."""

    stance = "open: only reads, and browser apps of other origins are meant to"


router = APIRouter(prefix="/v1", tags=["openai"], route_class=OpenRoute)
PartsHere = Annotated[Parts, Depends(parts_of)]
Version = Annotated[
    str | None,
    Header(description="Clients of Anthropic's send it; they are answered in their shape."),
]
Place = Annotated[str | None, Query(description="Anthropic's: the id beside which the page is.")]
Size = Annotated[str | None, Query(description="Anthropic's: most models of the page, 1 to 1000.")]


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
    """Of ``chat``, ``vision``, ``tools``, ``reasoning``, ``embeddings``, ``rerank``."""
    native_apis: list[str] | None = None
    """Of ``chat_completions``, ``completions``, ``responses``, ``messages``, ``embeddings``,
    ``rerank``: what its server speaks itself. Left out where it does not say."""
    aliases: list[str] | None = None
    """Other names under which it answers."""
    voices: list[Voice] | None = None
    """Of a model that speaks: by whom it can be heard."""
    languages: list[str] | None = None
    """Of a model that hears or speaks."""


class ModelList(BaseModel):
    """OpenAI's list shape."""

    object: Literal["list"] = "list"
    data: list[ListedModel]


@router.get("/models", response_model_exclude_none=True, responses=openai_errors(422))
async def list_models(
    request: Request,
    parts: PartsHere,
    anthropic_version: Version = None,
    after_id: Place = None,
    before_id: Place = None,
    limit: Size = None,
) -> ModelList | ClaudeList:
    """What is loaded, what of the menu could be, and what runs beside it. Never waits for a
    Spark. A key with a list of models is told of those alone."""
    await parts.served.up_to_date()
    models = [model for model in parts.catalogue.listed() if _is_for(request, model)]
    if anthropic_version is not None:
        return listed_page(models, after_id, before_id, limit)
    return ModelList(data=[_listed(model) for model in models])


@router.get(
    "/models/{id:path}", response_model_exclude_none=True, responses=openai_errors(404, 422)
)
async def get_model(
    request: Request, parts: PartsHere, id: str, anthropic_version: Version = None
) -> ListedModel | ClaudeModel:
    """One model, by any of its names."""
    await parts.served.up_to_date()
    model = parts.catalogue.find(id)
    if model is None or not _is_for(request, model):
        raise HttpFaultError(
            404, "model_not_found", "there is no such model; GET /v1/models names all there are"
        )
    return listed_single(model) if anthropic_version is not None else _listed(model)


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
        native_apis=list(model.native_apis) or None,
        aliases=list(model.names) or None,
        voices=list(model.voices) or None,
        languages=list(model.languages) or None,
    )
