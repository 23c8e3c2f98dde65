"""``GET /health``: by it clients tell what kind of server they speak to, and balancers whether."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from spark_gateway.control_route import ControlRoute

router = APIRouter(tags=["health"], route_class=ControlRoute)


class Alive(BaseModel):
    """Says that the gateway answers, and that it is no other server's text of one word."""

    status: Literal["ok"] = "ok"
    service: Literal["spark-control"] = "spark-control"


@router.get("/health")
async def health() -> Alive:
    """That this port answers; `/v1/models` says what can be used behind it."""
    return Alive()
