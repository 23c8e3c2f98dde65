"""``/api/accountability``: what every holder of the lease did with the cluster."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from spark_common.contracts.accountability import (
    GET_ACCOUNTABILITY,
    Accountability,
    GetAccountability,
)
from spark_gateway.api.asking import ask
from spark_gateway.api.errors_doc import READ, problems
from spark_gateway.control_route import ControlRoute

router = APIRouter(prefix="/api/accountability", tags=["accountability"], route_class=ControlRoute)


@router.get("", responses=problems(*READ))
async def get_accountability(
    request: Request,
    days: Annotated[
        int, Query(ge=1, le=400, description="The last days (UTC), today included.")
    ] = 7,
) -> Accountability:
    """Minutes of the GPU held and idle, swaps caused and waiting imposed, by holder and day."""
    return await ask(request, GET_ACCOUNTABILITY, GetAccountability(days=days))
