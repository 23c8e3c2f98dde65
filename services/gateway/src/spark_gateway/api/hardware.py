"""``/api/hardware``, ``/api/advice``, ``/api/spark/{name}/...``: the Sparks as machines."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import BaseModel, ConfigDict

from spark_common.contracts.hardware import (
    GET_ADVICE,
    GET_HARDWARE,
    TURN_OFF,
    WAKE_HOST,
    Advice,
    GetAdvice,
    GetHardware,
    Hardware,
    HostName,
    Span,
    TurnedOff,
    TurnOff,
    WakeAttempt,
    WakeHost,
)
from spark_common.contracts.swaps import Text
from spark_gateway.api.asking import ask
from spark_gateway.api.errors_doc import CHANGE, READ, problems
from spark_gateway.control_route import ControlRoute

_SEND_SECONDS = 30.0
"""A packet may have to be tried through every other Spark."""

router = APIRouter(prefix="/api", tags=["hardware"], route_class=ControlRoute)

SparkName = Annotated[HostName, Path(description="A Spark by its name: `spark1`.")]


class WhoWakes(BaseModel):
    """Who asked for it."""

    model_config = ConfigDict(extra="forbid")

    requested_by: Text = "someone"


class Confirmed(BaseModel):
    """Who asked for it, and the name of the Spark once more."""

    model_config = ConfigDict(extra="forbid")

    confirm: HostName
    requested_by: Text = "someone"


@router.get("/hardware", responses=problems(404, *READ))
async def get_hardware(
    request: Request,
    host: Annotated[
        list[HostName] | None, Query(max_length=64, description="Only these Sparks.")
    ] = None,
    history: Annotated[
        Span | None, Query(description="With the history of the last hour, day or week.")
    ] = None,
) -> Hardware:
    """How every Spark is as a machine, with the age of its numbers, and how it was."""
    return await ask(request, GET_HARDWARE, GetHardware(hosts=host or [], history=history), 8.0)


@router.get("/advice", responses=problems(*READ))
async def get_advice(request: Request) -> Advice:
    """What is known to make trouble on the Sparks: a sentence each, and where to read on."""
    return await ask(request, GET_ADVICE, GetAdvice())


@router.post("/spark/{name}/wake", status_code=202, responses=problems(404, *CHANGE))
async def wake_spark(
    request: Request, name: SparkName, order: Annotated[WhoWakes | None, Body()] = None
) -> WakeAttempt:
    """Send a magic packet, through another Spark or directly; watched for three minutes."""
    who = order or WhoWakes()
    question = WakeHost(name=name, requested_by=who.requested_by)
    return await ask(request, WAKE_HOST, question, _SEND_SECONDS)


@router.post("/spark/{name}/shutdown", status_code=202, responses=problems(404, 502, *CHANGE))
async def shut_down_spark(
    request: Request, name: SparkName, order: Annotated[Confirmed, Body()]
) -> TurnedOff:
    """Shut a Spark down; only where a sudo rule for just that is found there."""
    return await _turn_off(request, name, order, "shutdown")


@router.post("/spark/{name}/reboot", status_code=202, responses=problems(404, 502, *CHANGE))
async def reboot_spark(
    request: Request, name: SparkName, order: Annotated[Confirmed, Body()]
) -> TurnedOff:
    """Start a Spark anew; only where a sudo rule for just that is found there."""
    return await _turn_off(request, name, order, "reboot")


async def _turn_off(
    request: Request, name: str, order: Confirmed, action: Literal["shutdown", "reboot"]
) -> TurnedOff:
    question = TurnOff(
        name=name, confirm=order.confirm, action=action, requested_by=order.requested_by
    )
    return await ask(request, TURN_OFF, question, 12.0)
