"""``/api/swap/{key}/validate`` and ``/plan``: what a swap would do and whether it would work."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Request
from pydantic import BaseModel, ConfigDict, Field

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
from spark_gateway.api.asking import LockToken, WhoAsked, ask, change
from spark_gateway.api.errors_doc import CHANGE, REMOVE, problems
from spark_gateway.control_route import ControlRoute

_PLAN_SECONDS = 85.0
"""vLLM's own parser takes up to a minute on a Spark, and waits for its turn before that."""
_DEEP_SECONDS = 140.0
"""Reading the model's configuration as well takes longer."""

router = APIRouter(tags=["swaps"], route_class=ControlRoute)

Key = Annotated[
    str,
    Path(description="Key, or served name, of a model on the menu.", min_length=1, max_length=200),
]


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

    requested_by: Text = "someone"


@router.post("/api/swap/{key}/validate", responses=problems(404, *CHANGE))
async def validate_model(
    request: Request, key: Key, order: Annotated[TestOrder | None, Body()] = None
) -> Validation:
    """Test a model without starting it. A failed test is definitive, a passed one necessary."""
    asked = order or TestOrder()
    question = ValidateModel(model=key, knobs=asked.knobs, flags=asked.flags, deep=asked.deep)
    seconds = _DEEP_SECONDS if asked.deep else _PLAN_SECONDS
    return await ask(request, VALIDATE_MODEL, question, seconds)


@router.post("/api/swap/{key}/plan", responses=problems(404, *CHANGE))
async def plan_swap(
    request: Request,
    key: Key,
    order: Annotated[PlanOrder | None, Body()] = None,
    lock_token: LockToken = None,
) -> SwapPlan:
    """What a swap would stop, need and do, and what speaks against it. Touches nothing."""
    asked = order or PlanOrder()
    question = PlanSwap(model=key, lock_token=lock_token, requested_by=asked.requested_by)
    return await ask(request, PLAN_SWAP, question, _PLAN_SECONDS)


@router.delete("/api/models/{key}/quarantine", responses=problems(404, *REMOVE))
async def clear_quarantine(
    request: Request, key: Key, requested_by: WhoAsked = "someone"
) -> QuarantineCleared:
    """Let a model be loaded again that took a Spark down."""
    question = ClearQuarantine(model=key, requested_by=requested_by)
    return await change(request, CLEAR_QUARANTINE, question)
