"""``/api/deep-health``: real work through each service, and what is done when one is stuck."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from spark_common.contracts.deep_health import (
    APPLY_REMEDY,
    GET_DEEP_HEALTH,
    MOST_KEPT,
    RESET_REMEDY,
    RUN_DEEP_CHECK,
    DeepHealth,
    DeepService,
    GetDeepHealth,
    RemedyOrder,
    RemedyView,
    RunDeepCheck,
)
from spark_common.contracts.health import TargetName
from spark_common.contracts.swaps import Text
from spark_gateway.api.asking import LockToken, ask, change
from spark_gateway.api.errors_doc import CHANGE, READ, problems
from spark_gateway.control_route import ControlRoute

_MORE_SECONDS = 5.0
"""Beyond what the check itself may take."""
_RESTART_SECONDS = 110.0
"""The lease, docker's own ten seconds, and a Spark that is slow."""

router = APIRouter(prefix="/api/deep-health", tags=["health"], route_class=ControlRoute)


class PressOrder(BaseModel):
    """The body of a press; it may be empty."""

    model_config = ConfigDict(extra="forbid")

    requested_by: Text = "someone"


class RestartOrder(PressOrder):
    """The body of `POST /api/deep-health/{service}/remedy/apply`; it may be empty."""

    force: bool = Field(
        default=False, description="Restart although somebody else holds the cluster."
    )


class RunOrder(PressOrder):
    """The body of `POST /api/deep-health/{service}/run`; it may be empty."""

    wait_seconds: float = Field(default=20.0, ge=0, le=25, allow_inf_nan=False)


@router.get("", responses=problems(404, *READ))
async def get_deep_health(
    request: Request,
    history: Annotated[
        int, Query(ge=0, le=MOST_KEPT, description="Earlier results of each service.")
    ] = 12,
    service: Annotated[TargetName | None, Query(description="Only this one.")] = None,
) -> DeepHealth:
    """How each service did a small real job lately, and what is done about one that is stuck."""
    return await ask(request, GET_DEEP_HEALTH, GetDeepHealth(service=service, history=history))


@router.post("/{service}/run", responses=problems(404, *CHANGE))
async def run_deep_check(
    request: Request,
    service: TargetName,
    order: Annotated[RunOrder | None, Body()] = None,
) -> DeepService:
    """Do the job now; a check that is under way is joined. `running` says that it goes on."""
    order = order or RunOrder()
    question = RunDeepCheck(
        service=service, requested_by=order.requested_by, wait_seconds=order.wait_seconds
    )
    return await ask(request, RUN_DEEP_CHECK, question, order.wait_seconds + _MORE_SECONDS)


@router.post("/{service}/remedy/reset", responses=problems(404, *CHANGE))
async def reset_remedy(
    request: Request,
    service: TargetName,
    order: Annotated[PressOrder | None, Body()] = None,
) -> RemedyView:
    """Try again: let a service be restarted by itself although that did not help before."""
    who = (order or PressOrder()).requested_by
    return await ask(request, RESET_REMEDY, RemedyOrder(service=service, requested_by=who))


@router.post("/{service}/remedy/apply", responses=problems(404, *CHANGE))
async def apply_remedy(
    request: Request,
    service: TargetName,
    order: Annotated[RestartOrder | None, Body()] = None,
    lock_token: LockToken = None,
) -> RemedyView:
    """Restart now what a service runs in; refused while a swap runs or somebody holds it all."""
    order = order or RestartOrder()
    question = RemedyOrder(
        service=service,
        requested_by=order.requested_by,
        lock_token=lock_token,
        force=order.force,
    )
    return await change(request, APPLY_REMEDY, question, _RESTART_SECONDS)
