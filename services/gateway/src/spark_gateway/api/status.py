"""``/api/status``: one answer that is there even when nothing else is."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from spark_common.contracts.captures import CaptureView
from spark_common.contracts.models import HostView, RuntimeView
from spark_common.contracts.swaps import SwapView
from spark_gateway.api.errors_doc import problems
from spark_gateway.control_route import ControlRoute
from spark_gateway.parts import Parts, parts_of
from spark_gateway.streams.board import BusView
from spark_gateway.streams.neighbours import Component

router = APIRouter(prefix="/api/status", tags=["status"], route_class=ControlRoute)


class Status(BaseModel):
    """What is loaded, what runs and what answers; null and empty where nobody answered."""

    runtime: RuntimeView | None
    hosts: list[HostView]
    swap: SwapView | None
    components: list[Component]
    bus: BusView
    capture: CaptureView | None = None
    """Whether what is asked and answered is being captured."""
    version: str


@router.get("", responses=problems(422))
async def status(parts: Annotated[Parts, Depends(parts_of)]) -> Status:
    """The state of everything, at most five seconds old."""
    view = (await parts.board.fresh(neighbours=True)).view
    return Status(
        runtime=view.menu.runtime if view.menu is not None else None,
        hosts=view.menu.hosts if view.menu is not None else [],
        swap=view.swaps.current if view.swaps is not None else None,
        components=view.components,
        bus=view.bus,
        capture=view.capture,
        version=view.version,
    )
