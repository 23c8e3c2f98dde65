"""``/api/home``: whether the owner's usual model comes back now, and what it waits for."""

from fastapi import APIRouter, Request

from spark_common.contracts.home import GET_HOME, GetHome, HomeView
from spark_gateway.api.asking import ask
from spark_gateway.api.errors_doc import problems
from spark_gateway.control_route import ControlRoute

router = APIRouter(prefix="/api/home", tags=["home"], route_class=ControlRoute)
_SECONDS = 8.0
"""The first look after a change of the settings asks everybody."""


@router.get("", responses=problems(503, 504))
async def get_home(request: Request) -> HomeView:
    """How it stands with the home model."""
    return await ask(request, GET_HOME, GetHome(), _SECONDS)
