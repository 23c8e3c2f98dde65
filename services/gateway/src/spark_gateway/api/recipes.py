"""``/api/models/{key}/recipe``, ``/api/recipes``: recipes as people edit them."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from spark_common.contracts.disk import ModelName
from spark_common.contracts.recipes import (
    GET_RECIPE,
    IMPORT_TEMPLATE,
    LIST_FLAGS,
    LIST_TEMPLATES,
    PREVIEW_RECIPE,
    REMOVE_RECIPE,
    SAVE_RECIPE,
    SET_KNOBS,
    Element,
    Flags,
    GetRecipe,
    ImportTemplate,
    Knobs,
    ListFlags,
    ListTemplates,
    Preview,
    PreviewRecipe,
    RecipeDetail,
    RecipeForm,
    RemoveRecipe,
    SaveRecipe,
    SetKnobs,
    Templates,
)
from spark_common.contracts.swaps import Text
from spark_gateway.api.asking import WhoAsked, ask, change, locate
from spark_gateway.api.errors_doc import CHANGE, READ, REMOVE, problems
from spark_gateway.control_route import ControlRoute

_FILES_SECONDS = 15.0
"""The numbers of a preview may need a model's small files from a Spark."""
_TEMPLATES_SECONDS = 35.0
"""Each Spark may be asked for its templates."""

router = APIRouter(tags=["recipes"], route_class=ControlRoute)

KeyInPath = Annotated[ModelName, Path(description="Key of the model.")]


class RecipeOrder(RecipeForm):
    """The body of `POST /api/models`: a recipe, and whether it may replace one of your own."""

    replace: bool = False
    requested_by: Text = "someone"


class KnobsOrder(BaseModel):
    """The body of `PUT /api/models/{key}/knobs`: what is not in it is the recipe's own again."""

    model_config = ConfigDict(extra="forbid")

    knobs: Knobs = Knobs()
    flags: Annotated[list[Element], Field(max_length=1000)] = []
    """Further flags of vLLM, one `--flag` or `--flag=value` each; the whole list."""
    reset: bool = False
    """Back to the recipe's own values; the rest is ignored."""
    requested_by: Text = "someone"


@router.get("/api/models/{key}/recipe", responses=problems(404, 409, *READ))
async def get_recipe(request: Request, key: KeyInPath) -> RecipeDetail:
    """A recipe with everything a form needs: values, knobs, preview, memory."""
    return await ask(request, GET_RECIPE, GetRecipe(model=key), _FILES_SECONDS)


@router.post("/api/models", status_code=201, responses=problems(*CHANGE))
async def save_recipe(
    request: Request,
    response: Response,
    order: Annotated[RecipeOrder, Body()],
) -> RecipeDetail:
    """Save a recipe of your own. A bundled key becomes an override of the bundled recipe.

    What is wrong is answered field by field in `details.problems`, and nothing is saved.
    """
    form = RecipeForm.model_validate(order.model_dump(exclude={"replace", "requested_by"}))
    question = SaveRecipe(recipe=form, replace=order.replace, requested_by=order.requested_by)
    detail = await change(request, SAVE_RECIPE, question, _FILES_SECONDS)
    if detail.form.key is not None:
        locate(response, "api", "models", detail.form.key, "recipe")
    return detail


@router.delete("/api/models/{key}", responses=problems(404, *REMOVE))
async def remove_recipe(
    request: Request, key: KeyInPath, requested_by: WhoAsked = "someone"
) -> RecipeDetail:
    """Remove a recipe of your own and return what it was; files on disk stay."""
    question = RemoveRecipe(model=key, requested_by=requested_by)
    return await change(request, REMOVE_RECIPE, question, _FILES_SECONDS)


@router.put("/api/models/{key}/knobs", responses=problems(404, *CHANGE))
async def set_knobs(
    request: Request,
    key: KeyInPath,
    order: Annotated[KnobsOrder, Body()],
) -> RecipeDetail:
    """Set the knobs and the list of further flags. They replace the recipe's, never repeat them."""
    question = SetKnobs(
        model=key,
        knobs=order.knobs,
        flags=order.flags,
        reset=order.reset,
        requested_by=order.requested_by,
    )
    return await change(request, SET_KNOBS, question, _FILES_SECONDS)


@router.post("/api/recipes/preview", responses=problems(404, *CHANGE))
async def preview_recipe(request: Request, order: Annotated[PreviewRecipe, Body()]) -> Preview:
    """What a recipe or a change of one would run, and what speaks against it; saves nothing."""
    return await ask(request, PREVIEW_RECIPE, order, _FILES_SECONDS)


@router.get("/api/recipes/templates", responses=problems(502, *READ))
async def list_templates(
    request: Request,
    refresh: Annotated[bool, Query(description="Read them from the Spark again.")] = False,
) -> Templates:
    """The recipes in the launcher's checkout on a Spark, read as forms."""
    question = ListTemplates(refresh=refresh)
    return await ask(request, LIST_TEMPLATES, question, _TEMPLATES_SECONDS)


@router.post(
    "/api/recipes/templates/import", status_code=201, responses=problems(404, 502, *CHANGE)
)
async def import_template(
    request: Request,
    response: Response,
    order: Annotated[ImportTemplate, Body()],
) -> RecipeDetail:
    """Save a template as a recipe of your own."""
    detail = await change(request, IMPORT_TEMPLATE, order, _TEMPLATES_SECONDS)
    if detail.form.key is not None:
        locate(response, "api", "models", detail.form.key, "recipe")
    return detail


@router.get("/api/recipes/flags", responses=problems(*READ))
async def list_flags(request: Request) -> Flags:
    """The flags of vLLM that can be typed into the list, with their kinds and choices."""
    return await ask(request, LIST_FLAGS, ListFlags())
