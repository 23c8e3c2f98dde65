"""``/api/access``: our public key, and whether a Spark lets us in."""

from fastapi import APIRouter, Request

from spark_common.contracts.access import (
    GET_ACCESS,
    TRY_ACCESS,
    Access,
    AccessTest,
    GetAccess,
    TryAccess,
)
from spark_gateway.api.asking import ask
from spark_gateway.api.errors_doc import CHANGE, READ, problems
from spark_gateway.api.hardware import SparkName
from spark_gateway.control_route import ControlRoute

_TRY_SECONDS = 25.0
"""A Spark that hangs is waited for."""

router = APIRouter(prefix="/api/access", tags=["hardware"], route_class=ControlRoute)


@router.get("", responses=problems(*READ))
async def get_access(request: Request) -> Access:
    """The public key that each Spark has to know, and the command that tells it."""
    return await ask(request, GET_ACCESS, GetAccess())


@router.post("/{name}/test", responses=problems(404, *CHANGE))
async def test_access(request: Request, name: SparkName) -> AccessTest:
    """Log in to a Spark anew and look around; changes nothing there."""
    return await ask(request, TRY_ACCESS, TryAccess(name=name), _TRY_SECONDS)
