"""``/api/webhooks``: who is told what happened, and what became of every delivery."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from spark_common.contracts.swaps import Text
from spark_common.contracts.webhooks import (
    LIST_DELIVERIES,
    LIST_TARGETS,
    PUT_TARGET,
    REMOVE_TARGET,
    SEND_AGAIN,
    TEST_TARGET,
    Deliveries,
    DeliveryView,
    ListDeliveries,
    ListTargets,
    PutTarget,
    RemoveTarget,
    SecretText,
    SendAgain,
    TargetId,
    TargetKind,
    Targets,
    TargetView,
    TestTarget,
    Topic,
)
from spark_gateway.api.asking import ask
from spark_gateway.api.errors_doc import CHANGE, READ, problems
from spark_gateway.control_route import ControlRoute

_SAVE_SECONDS = 15.0
"""The host of a target is looked up before it is saved."""
_TEST_SECONDS = 30.0
"""Longer than a try may take: ten seconds over HTTP, twenty by mail."""

router = APIRouter(prefix="/api/webhooks", tags=["webhooks"], route_class=ControlRoute)

IdInPath = Annotated[TargetId, Path(description="Id of the target; you choose it.")]
DeliveryInPath = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}$"),
    Path(description="Id of the delivery, the same over all tries."),
]


class TargetForm(BaseModel):
    """The body of `PUT /api/webhooks/{id}`. What is secret and left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Text | None = None
    kind: TargetKind = "webhook"
    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None
    """Of a webhook: where to POST. No user or password, no redirects."""
    address: SecretText | None = None
    """Of the other kinds, in the notation of apprise: `ntfys://host/topic`. Never told again."""
    secret: SecretText | None = None
    """Of a webhook: signs every delivery. Never told again."""
    clear_secret: bool = False
    topics: Annotated[list[Topic], Field(max_length=20)] = ["swap"]
    enabled: bool = True


@router.get("", responses=problems(*READ))
async def list_targets(request: Request) -> Targets:
    """All targets and how they stand."""
    return await ask(request, LIST_TARGETS, ListTargets())


@router.get("/deliveries", responses=problems(404, *READ))
async def list_deliveries(
    request: Request,
    target: Annotated[TargetId | None, Query(description="Only to this target.")] = None,
    state: Annotated[
        Literal["pending", "delivered", "dead"] | None, Query(description="Only in this state.")
    ] = None,
    before: Annotated[
        AwareDatetime | None,
        Query(description="Only earlier ones: `created_at` of the last one shown."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Deliveries:
    """The delivery log, newest first."""
    question = ListDeliveries(target=target, state=state, before=before, limit=limit)
    return await ask(request, LIST_DELIVERIES, question)


@router.post("/deliveries/{id}/again", responses=problems(404, *CHANGE))
async def send_again(request: Request, id: DeliveryInPath) -> DeliveryView:
    """Give a dead letter another chance, under the same id, at the end of its target's line."""
    return await ask(request, SEND_AGAIN, SendAgain(id=id))


@router.put("/{id}", responses=problems(*CHANGE))
async def put_target(
    request: Request, id: IdInPath, form: Annotated[TargetForm, Body()]
) -> TargetView:
    """Make a target or change it. A new one is told only of what happens from now on."""
    fields = form.model_dump(exclude_unset=True)
    return await ask(request, PUT_TARGET, PutTarget(id=id, **fields), _SAVE_SECONDS)


@router.delete("/{id}", responses=problems(404, *CHANGE))
async def remove_target(request: Request, id: IdInPath) -> Targets:
    """Forget a target and what is still owed to it; the others are answered."""
    return await ask(request, REMOVE_TARGET, RemoveTarget(id=id))


@router.post("/{id}/test", responses=problems(404, *CHANGE))
async def test_target(request: Request, id: IdInPath) -> DeliveryView:
    """Send a test now, past what is owed, and say what came of it."""
    return await ask(request, TEST_TARGET, TestTarget(id=id), _TEST_SECONDS)
