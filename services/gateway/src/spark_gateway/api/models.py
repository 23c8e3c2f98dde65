"""``/api/models``: the menu, and recipes for models that have none."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from spark_common.contracts.models import (
    LIST_MODELS,
    SUGGEST_RECIPE,
    ListModels,
    Menu,
    Suggestion,
    SuggestRecipe,
)
from spark_gateway.api.errors_doc import READ, problems
from spark_gateway.boundary import request_id_of
from spark_gateway.control_route import ControlRoute
from spark_gateway.parts import Parts, parts_of

ASK_SECONDS = 4.0
_REFRESH_SECONDS = 15.0
_SUGGEST_SECONDS = 25.0

router = APIRouter(prefix="/api/models", tags=["models"], route_class=ControlRoute)


@router.get("", responses=problems(*READ))
async def list_models(
    request: Request,
    parts: Annotated[Parts, Depends(parts_of)],
    refresh: Annotated[bool, Query(description="Look at the disks again first.")] = False,
) -> Menu:
    """Everything needed to pick a model: models, recipes, hosts, what is loaded."""
    return await parts.bus.call(
        LIST_MODELS,
        ListModels(refresh=refresh),
        timeout_seconds=_REFRESH_SECONDS if refresh else ASK_SECONDS,
        correlation_id=request_id_of(request.scope),
    )


@router.get("/suggest", responses=problems(404, 409, *READ))
async def suggest_recipe(
    request: Request,
    parts: Annotated[Parts, Depends(parts_of)],
    repo: Annotated[
        str,
        Query(
            description="Repository on a Spark's disk, or its key.", min_length=1, max_length=200
        ),
    ],
) -> Suggestion:
    """A recipe inferred from the model's own files; every value says where it comes from."""
    return await parts.bus.call(
        SUGGEST_RECIPE,
        SuggestRecipe(repo=repo),
        timeout_seconds=_SUGGEST_SECONDS,
        correlation_id=request_id_of(request.scope),
    )
