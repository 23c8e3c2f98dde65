"""The verbs of the lease."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from pydantic import SecretStr

from spark_common.bus.port import Serving
from spark_common.clock import Clock
from spark_common.contracts.leases import (
    ACQUIRE_LEASE,
    GET_LEASE,
    RELEASE_LEASE,
    REQUEST_YIELD,
    AcquireLease,
    GetLease,
    LeaseGrant,
    LeaseView,
    Released,
    ReleaseLease,
    RequestYield,
)
from spark_common.errors import ConflictError
from spark_common.ids import new_id
from spark_common.leasing import Gate, fresh_token, hash_of, held_error, token_for
from spark_common.settings.policies import LeasePolicy
from spark_coordinator.leasing.answers import Answer
from spark_coordinator.leasing.book import LeaseBook
from spark_coordinator.leasing.draining import Draining

_WAY_OUT = (
    "Ask again with wait: true to stand in line, ask for it back with "
    "POST /api/swap/lock/yield, or, as the person who decides, take it with force"
)
_NOT_YOURS = "Only its own token gives it back; a person may end it with force"
_log = structlog.get_logger()


class Leases:
    """Takes, extends, gives back, shows. Raises UnavailableError whenever Redis is away.

    Other features of the coordinator hold the lease through the same methods.
    """

    def __init__(
        self,
        book: LeaseBook,
        draining: Draining,
        policy: Callable[[], LeasePolicy],
        clock: Clock,
        told: Callable[[], None],
    ) -> None:
        """``told`` is called when events were written that nobody has told yet."""
        self._book = book
        self._draining = draining
        self._policy = policy
        self._clock = clock
        self._told = told
        self._refusal_listeners: list[Callable[[AcquireLease], Awaitable[None]]] = []

    def on_refusal(self, listener: Callable[[AcquireLease], Awaitable[None]]) -> None:
        """Let somebody hear of those who asked and neither got it nor a place in line."""
        self._refusal_listeners.append(listener)

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(ACQUIRE_LEASE, self.acquire),
            Serving(RELEASE_LEASE, self.release),
            Serving(GET_LEASE, self.get),
            Serving(REQUEST_YIELD, self.ask_to_yield),
        )

    async def acquire(self, request: AcquireLease) -> LeaseGrant:
        """Take, extend, take up a grant, or stand in line; the only reply with a token.

        Raises LeaseHeldError, ConflictError when the line is full.
        """
        token = _fresh(request)
        answer = await self._book.acquire(
            {
                "fresh_sha256": hash_of(token),
                "token_sha256": _hashed(request.token),
                "request": new_id(),
                "ticket": new_id(),
                "holder": request.holder,
                "reason": request.reason,
                "ttl_ms": round(request.ttl_seconds * 1000),
                "wait": request.wait,
                "priority": request.priority,
                "max_wait_ms": round(request.max_wait_seconds * 1000),
                "force": request.force,
                "requested_by": request.requested_by or request.holder,
                "schedule_id": request.schedule_id,
            }
        )
        self._note(answer, holder=request.holder, force=request.force)
        if answer.outcome in ("refused", "full"):
            for listener in self._refusal_listeners:
                await listener(request)
        if answer.outcome == "refused":
            raise held_error(_gate(answer), _WAY_OUT)
        if answer.outcome == "full":
            raise ConflictError(
                f"the line is full: {len(answer.line)} wait already; try again later"
            )
        own = request.token if answer.by == "own" else None
        return self._grant(answer, own.get_secret_value() if own is not None else token)

    async def release(self, request: ReleaseLease) -> Released:
        """Give back. With nothing of its time running the next one is let in at once.

        Raises LeaseHeldError for a token that is not the lease's.
        """
        answer = await self._book.release(
            {
                "token_sha256": _hashed(request.token),
                "force": request.force,
                "requested_by": request.requested_by,
            }
        )
        self._note(answer, holder=answer.holder, force=request.force)
        if answer.outcome == "refused":
            raise held_error(_gate(answer), _NOT_YOURS)
        if answer.state == "draining":
            self._note(await self._draining.look(answer), holder=answer.holder)
        return Released.model_validate(
            {
                "released": answer.outcome,
                "holder": answer.holder,
                "epoch": answer.epoch if answer.epoch_was is None else answer.epoch_was,
            }
        )

    async def get(self, request: GetLease) -> LeaseView:
        """Return how the lease and its line stand; whoever waits is seen by it."""
        answer = await self._book.look({"token_sha256": _hashed(request.token)})
        self._note(answer)
        return answer.view(self._clock.now())

    async def ask_to_yield(self, request: RequestYield) -> LeaseView:
        """Leave a request to the holder. Raises ConflictError when nobody holds the lease."""
        answer = await self._book.ask_to_yield(
            {
                "request": new_id(),
                "requested_by": request.requested_by,
                "by": request.by.isoformat() if request.by is not None else None,
                "note": request.note,
            }
        )
        self._note(answer)
        if answer.outcome == "nobody":
            raise ConflictError("nobody holds the cluster: there is nobody to ask")
        return answer.view(self._clock.now())

    def _grant(self, answer: Answer, token: str) -> LeaseGrant:
        if answer.outcome == "waiting":
            place = answer.place(answer.ticket)
            waiter = place.waiter() if place is not None else None
            return LeaseGrant(
                state="waiting",
                token=token,
                ticket=answer.ticket,
                position=waiter.position if waiter else None,
                eta_seconds=waiter.eta_seconds if waiter else None,
                seen_within_seconds=self._policy().lease_seen_within_seconds,
                take_up_seconds=self._policy().lease_take_up_seconds,
            )
        view = answer.view(self._clock.now())
        return LeaseGrant(
            state="held",
            token=token,
            epoch=view.epoch,
            expires_at=view.expires_at,
            remaining_seconds=view.remaining_seconds,
            extended=answer.outcome == "extended",
            ticket=answer.lease.ticket,
        )

    def _note(self, answer: Answer, **facts: Any) -> None:
        if answer.told:
            self._told()
            known = {name: value for name, value in facts.items() if value}
            _log.info("lease.changed", outcome=answer.outcome, epoch=answer.epoch, **known)


def _hashed(token: SecretStr | None) -> str | None:
    return None if token is None else hash_of(token.get_secret_value())


def _fresh(request: AcquireLease) -> str:
    """Return the token for a newcomer: always the same for the same order."""
    if request.key is None:
        return fresh_token()
    return token_for(request.key.get_secret_value(), request.holder)


def _gate(answer: Answer) -> Gate:
    return Gate(
        admitted=False,
        epoch=answer.epoch,
        holder=answer.lease.holder,
        remaining_seconds=answer.lease.remaining_seconds,
        reason=answer.lease.reason,
        waiting=len(answer.line),
        state=answer.state,
    )
