"""Asks the swapper for a swap on behalf of those who wait, once, whoever else does the same."""

import hashlib
from functools import partial

import structlog

from spark_common.bus import Bus
from spark_common.clock import Clock
from spark_common.contracts.leases import LeaseView
from spark_common.contracts.swaps import REQUEST_SWAP, RequestSwap, SwapView
from spark_common.errors import (
    AlreadyLoadedError,
    DeadlineExceededError,
    IdempotencyConflictError,
    JobInProgressError,
    LeaseHeldError,
    OutcomeUnknownError,
    SparkError,
    SwapInProgressError,
    UnavailableError,
)
from spark_gateway.dataplane.ports import Refusal
from spark_gateway.dataplane.reservation import reserved
from spark_gateway.holding import words
from spark_gateway.holding.words import Words

_ASK_SECONDS = 2.0
_ASKER = "on demand"
_LEASE_STATES = frozenset({"held", "granted", "draining"})
_log = structlog.get_logger()


class SwapAsker:
    """One question to the swapper, and what its refusals mean to those who wait."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock

    @property
    def reachable(self) -> bool:
        """Whether there is a bus to ask over."""
        return self._bus.health().connected

    async def ask(self, model: str, after: str | None, label: str) -> SwapView | Words | None:
        """Return the swap that was accepted, or what to say; None: somebody was first.

        ``after``: the latest swap that is over. All gateways know it, so two that ask for the same
        model ask for one swap; because of somebody else (``label``) it is another question, and the
        swapper lets one of them run.
        """
        asker = f"{_ASKER} ({label})"[:200] if label else _ASKER
        request = RequestSwap(
            model=model, requested_by=asker, rollback=True, id=swap_key(model, after, asker)
        )
        try:
            return await self._ask(request)
        except (SwapInProgressError, AlreadyLoadedError, IdempotencyConflictError) as error:
            _log.info("on_demand.joined", model=model, reason=error.code)
            return None
        except SparkError as error:
            _log.info("on_demand.refused", model=model, reason=error.code)
            return self._words(model, error)

    async def _ask(self, request: RequestSwap) -> SwapView:
        try:
            return await self._bus.call(REQUEST_SWAP, request, timeout_seconds=_ASK_SECONDS)
        except (DeadlineExceededError, OutcomeUnknownError):
            # It may have been accepted; asked again with the same id it is never a second swap.
            return await self._bus.call(REQUEST_SWAP, request, timeout_seconds=_ASK_SECONDS)

    def _words(self, model: str, error: SparkError) -> Words:
        match error:
            case LeaseHeldError():
                return partial(_reserved, lease=lease_of(error), clock=self._clock)
            case JobInProgressError():
                return partial(words.busy, wanted=model, why=error.message)
            case UnavailableError() if error.retryable:
                return partial(words.nobody_loads, wanted=model, why=error.message)
            case _:
                return partial(words.cannot, wanted=model, why=error.message)


def swap_key(model: str, after: str | None, asker: str) -> str:
    """Return the idempotency key under which every gateway asks this question."""
    asked = f"{model}\n{after or ''}\n{asker}".encode()
    return f"on-demand-{hashlib.sha256(asked).hexdigest()[:32]}"


def lease_of(error: LeaseHeldError) -> LeaseView:
    """Read back what the refusal says about the lease; never why it is held."""
    holder, left = error.details.get("holder"), error.details.get("remaining_seconds")
    state = error.details.get("state")
    return LeaseView.model_validate(
        {
            "state": state if state in _LEASE_STATES else "held",
            "holder": holder if isinstance(holder, str) else None,
            "remaining_seconds": left if isinstance(left, int | float) else None,
            "epoch": 0,
        }
    )


def _reserved(path: bytes, lease: LeaseView, clock: Clock) -> Refusal:
    return reserved(path, lease, clock.now())
