"""``/api/swap/lock``: reserve the cluster, stand in line for it, give it back, ask for it."""

from typing import Annotated

from fastapi import APIRouter, Body, Header, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

from spark_common.contracts.leases import (
    ACQUIRE_LEASE,
    GET_LEASE,
    RELEASE_LEASE,
    REQUEST_YIELD,
    AcquireLease,
    GetLease,
    LeaseGrant,
    LeaseView,
    Note,
    OrderKey,
    Priority,
    Released,
    ReleaseLease,
    RequestYield,
    Token,
)
from spark_common.contracts.swaps import SwapId, Text
from spark_common.errors import DeadlineExceededError, InvalidRequestError, OutcomeUnknownError
from spark_gateway.api.asking import ask, change
from spark_gateway.api.errors_doc import CHANGE, READ, problems
from spark_gateway.control_route import ControlRoute

router = APIRouter(prefix="/api/swap/lock", tags=["reservation"], route_class=ControlRoute)

TokenInHeader = Annotated[
    SecretStr | None,
    Header(
        alias="X-Swap-Lock-Token",
        min_length=1,
        max_length=200,
        description="The token of the reservation, of a grant, or of a place in line.",
    ),
]
Force = Annotated[
    bool, Query(description="A person's decision over the holder's head; told as `lock.forced`.")
]


class LockOrder(BaseModel):
    """The body of `POST /api/swap/lock`."""

    model_config = ConfigDict(extra="forbid")

    holder: Text
    """A label for people: who holds it."""
    reason: Note = ""
    ttl_seconds: float = Field(default=3600.0, ge=10, le=24 * 3600, allow_inf_nan=False)
    token: Token | None = None
    """Instead of the header, for clients that cannot set one."""
    wait: bool = False
    """Stand in line when somebody else holds it or waits: `202` with a place instead of `423`."""
    priority: Priority = "interactive"
    max_wait_seconds: float = Field(default=3600.0, ge=1, le=24 * 3600, allow_inf_nan=False)
    requested_by: Text | None = None
    """Who decided, when it is taken with `?force=true`; the holder unless given."""
    schedule_id: SwapId | None = None
    """The registered schedule for whose run it is wanted."""


class UnlockOrder(BaseModel):
    """The body of `DELETE /api/swap/lock`; it may be empty."""

    model_config = ConfigDict(extra="forbid")

    requested_by: Text = "someone"


class YieldOrder(BaseModel):
    """The body of `POST /api/swap/lock/yield`."""

    model_config = ConfigDict(extra="forbid")

    requested_by: Text
    by: AwareDatetime | None = None
    """By when it would be needed."""
    note: Note = ""


@router.get("", responses=problems(*READ))
async def get_lock(request: Request, token: TokenInHeader = None) -> LeaseView:
    """Who holds the cluster, until when, and who waits. Never a token.

    With a token it also says what that is good for, and keeps a place in line.
    """
    return await ask(request, GET_LEASE, GetLease(token=token))


@router.post(
    "",
    responses={
        202: {"model": LeaseGrant, "description": "a place in line, with its token"},
        **problems(*CHANGE),
    },
)
async def take_lock(
    request: Request,
    response: Response,
    order: Annotated[LockOrder, Body()],
    force: Force = False,
    token: TokenInHeader = None,
    key: Annotated[
        OrderKey | None,
        Header(
            alias="Idempotency-Key",
            description="Random, of this order alone: a repeat whose answer was lost gets the "
            "same reservation or place, with the same token.",
        ),
    ] = None,
) -> LeaseGrant:
    """Take the reservation, extend it, take up a grant, or stand in line.

    The answer holds the token; it is told again only to a repeat with the same Idempotency-Key.
    """
    question = AcquireLease(
        **order.model_dump(exclude={"token"}), token=_one(token, order.token), key=key, force=force
    )
    try:
        grant = await change(request, ACQUIRE_LEASE, question)
    except DeadlineExceededError as late:
        raise OutcomeUnknownError(
            "no answer in time: whether the cluster is reserved now is not known. Ask again with "
            "the same token or Idempotency-Key; without either, look at GET /api/swap/lock"
        ) from late
    if grant.state == "waiting":
        response.status_code = 202
    return grant


@router.delete("", responses=problems(*CHANGE))
async def release_lock(
    request: Request,
    order: Annotated[UnlockOrder | None, Body()] = None,
    force: Force = False,
    token: TokenInHeader = None,
    requested_by: Annotated[
        Text | None, Query(description="A label for people: who asked. Also as JSON.")
    ] = None,
) -> Released:
    """Give back the reservation, a grant or a place in line."""
    by = requested_by or (order.requested_by if order is not None else "someone")
    question = ReleaseLease(token=token, force=force, requested_by=by)
    return await change(request, RELEASE_LEASE, question)


@router.post("/yield", responses=problems(*CHANGE))
async def request_yield(request: Request, order: Annotated[YieldOrder, Body()]) -> LeaseView:
    """Ask the holder to release the reservation; nothing is taken away."""
    question = RequestYield(requested_by=order.requested_by, by=order.by, note=order.note)
    return await change(request, REQUEST_YIELD, question)


def _one(header: SecretStr | None, body: SecretStr | None) -> SecretStr | None:
    if header is not None and body is not None and header != body:
        raise InvalidRequestError(
            "X-Swap-Lock-Token and the token in the body differ; send one of them"
        )
    return header or body
