"""``/api/swap/{key}/validate`` and ``/plan``: what a swap would do and whether it would work."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from spark_common.contracts.plans import (
    CLEAR_QUARANTINE,
    PLAN_SWAP,
    VALIDATE_MODEL,
    ClearQuarantine,
    PlanSwap,
    QuarantineCleared,
    SwapPlan,
    ValidateModel,
    Validation,
)
from spark_common.contracts.recipes import Element, Knobs
from spark_common.contracts.swaps import Text
from spark_gateway.api.errors_doc import CHANGE, problems
from spark_gateway.api.models import ASK_SECONDS
from spark_gateway.boundary import request_id_of
from spark_gateway.control_route import ControlRoute
from spark_gateway.parts import Parts, parts_of

PLAN_SECONDS = 85.0
"""vLLM's own parser takes up to a minute on a Spark, and waits for its turn before that."""
DEEP_SECONDS = 140.0
"""Reading the model's configuration as well takes longer."""

router = APIRouter(tags=["swaps"], route_class=ControlRoute)

PartsOf = Annotated[Parts, Depends(parts_of)]
Key = Annotated[
    str,
    Path(description="Key, or served name, of a model on the menu.", min_length=1, max_length=200),
]
Token = Annotated[SecretStr | None, Header(alias="X-Swap-Lock-Token", min_length=1, max_length=512)]


class TestOrder(BaseModel):
    """What to test; nothing of it is saved. Without knobs and flags: the recipe as it is."""

    __test__ = False
    model_config = ConfigDict(extra="forbid")

    knobs: Knobs | None = None
    flags: Annotated[list[Element], Field(max_length=200)] | None = None
    deep: bool = False
    """Also read the model's configuration the way the engine would; slower."""


class PlanOrder(BaseModel):
    """Who asks. The lease's token travels in a header, never in here."""

    model_config = ConfigDict(extra="forbid")

    requested_by: Annotated[
        str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)
    ] = "someone"


@router.post("/api/swap/{key}/validate", responses=problems(404, *CHANGE))
async def validate_model(
    request: Request, parts: PartsOf, key: Key, order: Annotated[TestOrder | None, Body()] = None
) -> Validation:
    """Test a model without starting it. A failed test is definitive, a passed one necessary."""
    asked = order or TestOrder()
    return await parts.bus.call(
        VALIDATE_MODEL,
        ValidateModel(model=key, knobs=asked.knobs, flags=asked.flags, deep=asked.deep),
        timeout_seconds=DEEP_SECONDS if asked.deep else PLAN_SECONDS,
        correlation_id=request_id_of(request.scope),
    )


@router.post("/api/swap/{key}/plan", responses=problems(404, *CHANGE))
async def plan_swap(
    request: Request,
    parts: PartsOf,
    key: Key,
    order: Annotated[PlanOrder | None, Body()] = None,
    lock_token: Token = None,
) -> SwapPlan:
    """What a swap would stop, need and do, and what speaks against it. Touches nothing."""
    asked = order or PlanOrder()
    return await parts.bus.call(
        PLAN_SWAP,
        PlanSwap(model=key, lock_token=lock_token, requested_by=asked.requested_by),
        timeout_seconds=PLAN_SECONDS,
        correlation_id=request_id_of(request.scope),
    )


@router.delete("/api/models/{key}/quarantine", responses=problems(404, *CHANGE))
async def clear_quarantine(
    request: Request,
    parts: PartsOf,
    key: Key,
    requested_by: Annotated[Text, Query(description="A label for people: who asked.")] = "someone",
) -> QuarantineCleared:
    """Let a model be loaded again that took a Spark down."""
    return await parts.bus.call(
        CLEAR_QUARANTINE,
        ClearQuarantine(model=key, requested_by=requested_by),
        timeout_seconds=ASK_SECONDS,
        correlation_id=request_id_of(request.scope),
    )
