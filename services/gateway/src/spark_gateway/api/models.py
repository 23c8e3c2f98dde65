"""``/api/models``: the menu, and recipes for models that have none."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from spark_common.contracts.models import (
    LIST_MODELS,
    SUGGEST_RECIPE,
    ListModels,
    Menu,
    Suggestion,
    SuggestRecipe,
)
from spark_gateway.api.asking import ASK_SECONDS, ask
from spark_gateway.api.errors_doc import READ, problems
from spark_gateway.control_route import ControlRoute

_REFRESH_SECONDS = 15.0
_SUGGEST_SECONDS = 25.0

router = APIRouter(prefix="/api/models", tags=["models"], route_class=ControlRoute)


@router.get("", responses=problems(*READ))
async def list_models(
    request: Request,
    refresh: Annotated[bool, Query(description="Look at the disks again first.")] = False,
) -> Menu:
    """Everything needed to pick a model: models, recipes, hosts, what is loaded."""
    seconds = _REFRESH_SECONDS if refresh else ASK_SECONDS
    return await ask(request, LIST_MODELS, ListModels(refresh=refresh), seconds)


@router.get("/suggest", responses=problems(404, 409, *READ))
async def suggest_recipe(
    request: Request,
    repo: Annotated[
        str,
        Query(
            description="Repository on a Spark's disk, or its key.", min_length=1, max_length=200
        ),
    ],
) -> Suggestion:
    """A recipe inferred from the model's own files; every value says where it comes from."""
    return await ask(request, SUGGEST_RECIPE, SuggestRecipe(repo=repo), _SUGGEST_SECONDS)
