"""``/api/models``: the menu."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from spark_common.contracts.models import LIST_MODELS, ListModels, Menu
from spark_gateway.api.errors_doc import READ, problems
from spark_gateway.boundary import request_id_of
from spark_gateway.control_route import ControlRoute
from spark_gateway.parts import Parts, parts_of

ASK_SECONDS = 4.0
_REFRESH_SECONDS = 15.0

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
