"""``/api/status``: one answer that is there even when nothing else is."""

import asyncio

from fastapi import APIRouter, Request
from pydantic import BaseModel

from spark_common.contracts.captures import CaptureView
from spark_common.contracts.health import GET_HEALTH, GetHealth, HealthView, TargetView
from spark_common.contracts.models import HostView, RuntimeView
from spark_common.contracts.swaps import SwapView
from spark_common.errors import SparkError
from spark_gateway.api.asking import PartsOf, ask
from spark_gateway.api.errors_doc import problems
from spark_gateway.control_route import ControlRoute
from spark_gateway.streams.board import BusView
from spark_gateway.streams.neighbours import Component

router = APIRouter(prefix="/api/status", tags=["status"], route_class=ControlRoute)
_HEALTH_SECONDS = 1.5


class Status(BaseModel):
    """What is loaded, what runs and what answers; null and empty where nobody answered."""

    runtime: RuntimeView | None
    hosts: list[HostView]
    swap: SwapView | None
    targets: list[TargetView] = []
    """Every host and service as it is watched; empty when nobody who watches answers."""
    disabled: list[str] = []
    """Services that the owner hid."""
    watched: bool = False
    """Whether health answered: without it nothing here is known to be up."""
    components: list[Component]
    bus: BusView
    capture: CaptureView | None = None
    """Whether what is asked and answered is being captured."""
    version: str


@router.get("", responses=problems(422))
async def status(request: Request, parts: PartsOf) -> Status:
    """The state of everything, at most five seconds old."""
    picture, health = await asyncio.gather(parts.board.fresh(neighbours=True), _health(request))
    view = picture.view
    return Status(
        runtime=view.menu.runtime if view.menu is not None else None,
        hosts=view.menu.hosts if view.menu is not None else [],
        swap=view.swaps.current if view.swaps is not None else None,
        targets=health.targets if health is not None else [],
        disabled=health.disabled if health is not None else [],
        watched=health is not None,
        components=view.components,
        bus=view.bus,
        capture=view.capture,
        version=view.version,
    )


async def _health(request: Request) -> HealthView | None:
    try:
        return await ask(request, GET_HEALTH, GetHealth(), _HEALTH_SECONDS)
    except SparkError:
        return None
