"""Decides whether a swap may happen, and makes it certain that an admitted one will."""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress

import structlog

from spark_common.bus.port import Bus, Duplicate, Refused, Stored
from spark_common.clock import Clock
from spark_common.contracts.models import RuntimeView
from spark_common.contracts.swaps import Phase, RequestSwap, SwapView
from spark_common.errors import (
    AlreadyLoadedError,
    IdempotencyConflictError,
    InvalidRequestError,
    JobInProgressError,
    OutcomeUnknownError,
    SwapInProgressError,
    UnavailableError,
)
from spark_common.events import SwapAccepted, SwapStart
from spark_common.ids import new_id
from spark_common.jobs.store import Busy, Conflicting, Known, StaleWriterError
from spark_common.leasing import Gate, held_error
from spark_common.subjects import swap_accepted, swap_start
from spark_swapper import causes, keys
from spark_swapper.admitting.planning import Planning
from spark_swapper.admitting.queueing import waiting_view
from spark_swapper.driving.standstill import Updating, nobody
from spark_swapper.guarding.quarantining import Quarantining
from spark_swapper.launching.candidate import Candidate
from spark_swapper.ports import Shelf
from spark_swapper.records.jobs import SwapJob, first_job
from spark_swapper.records.store import Admitted, JobStore, LeaseGate

WAY_OUT = (
    "Wait for it, ask for it back (POST /api/swap/lock/yield), stand in line "
    "(POST /api/swap/lock with wait: true), or, as the person who decides, swap with ?force=true"
)
_log = structlog.get_logger()
_OWN_KEYS = (keys.LIVE, keys.INDEX, keys.CURRENT)
_TAKEN = frozenset({"lock", *(key.rpartition(":")[2] for key in _OWN_KEYS)})
"""Ids that would fall on the swapper's own Redis keys, or on ``/api/swap/lock``."""


class Admission:
    """The one way in, for HTTP callers and automations alike."""

    def __init__(
        self,
        *,
        bus: Bus,
        store: JobStore,
        gate: LeaseGate,
        shelf: Shelf,
        planning: Planning,
        quarantining: Quarantining,
        runtime_view: Callable[[], RuntimeView],
        clock: Clock,
        updating: Updating = nobody,
    ) -> None:
        self._bus = bus
        self._store = store
        self._gate = gate
        self._shelf = shelf
        self._planning = planning
        self._quarantining = quarantining
        self._runtime_view = runtime_view
        self._clock = clock
        self._updating = updating

    async def request(self, request: RequestSwap) -> SwapView:
        """Admit, store the command, and return the swap; or plan it when it is a dry run.

        Raises UnknownModelError, ModelNotReadyError, LeaseHeldError, QuarantinedError,
        AlreadyLoadedError, SwapInProgressError, JobInProgressError, IdempotencyConflictError,
        UnavailableError,
        OutcomeUnknownError.
        """
        swap_id = request.id or new_id()
        if swap_id in _TAKEN:
            raise InvalidRequestError(f"{swap_id!r} cannot be the id of a swap; choose another")
        body = _body_sha256(request)
        if request.id is not None and not request.dry_run:
            known = await self._store.get(swap_id)
            if known is not None:
                return await self._again(known, body)
        candidate = await self._shelf.find(request.model)
        if request.dry_run:
            return await self._planning.plan(swap_id, request, candidate)
        gate = await self._gate.for_caller(
            request.lock_token.get_secret_value() if request.lock_token else None
        )
        if not gate.admitted and not request.override_lease:
            raise held_error(gate, WAY_OUT)
        await self._quarantining.refuse(candidate.key, candidate.name)
        await self._refuse_loaded(candidate)
        await self._refuse_while_updating(request)
        job = self._job(swap_id, body, request, candidate, gate)
        job = job.model_copy(
            update={"usual_seconds": await self._store.usual_seconds(candidate.key)}
        )
        return await self._enqueue(job)

    async def _enqueue(self, job: SwapJob) -> SwapView:
        match await self._admit(job):
            case Admitted(behind=behind):
                await self._command(job, behind)
                return job.view() if behind is None else await self._waiting(job)
            case Known(record=known):
                return await self._again(known, job.body_sha256)
            case Busy(id=other):
                raise SwapInProgressError(
                    "another swap is not over yet; wait for it, cancel it, or ask to be queued",
                    swap_id=other,
                )
            case Conflicting():
                raise _conflict(job.id)

    async def _waiting(self, job: SwapJob) -> SwapView:
        """Return an accepted swap with its place; without one when the records are away now."""
        try:
            return waiting_view(job, await self._store.live())
        except UnavailableError:
            return job.view()

    async def _admit(self, job: SwapJob) -> Admitted | Known[SwapJob] | Busy | Conflicting:
        try:
            return await self._store.admit(job)
        except UnavailableError:
            # The answer may be lost while the record is written; asking again tells.
            return await self._store.admit(job)

    async def _again(self, known: SwapJob, body: str) -> SwapView:
        if known.body_sha256 and known.body_sha256 != body:
            raise _conflict(known.id)
        if known.phase is Phase.QUEUED:
            await self._command(known, None)
        return known.view()

    async def _command(self, job: SwapJob, behind: str | None) -> None:
        """Store the command; only then is the swap accepted."""
        command = SwapStart(
            swap_id=job.id,
            model=job.model,
            requested_by=job.requested_by,
            rollback=job.rollback,
            force=job.force,
            drop_caches=job.drop_caches,
            lease_epoch=job.lease_epoch,
            override_lease=job.override_lease,
        )
        result = await self._bus.publish_durable(
            swap_start(job.id), command, id=job.id, correlation_id=job.id
        )
        if isinstance(result, Refused):
            await self.withdraw(job)
            raise UnavailableError(f"the swap could not be stored: {result.reason}")
        if not isinstance(result, Stored | Duplicate):
            raise OutcomeUnknownError(
                "the event bus does not answer; ask again with the same id to be sure",
                id=job.id,
            )
        _log.info("swap.accepted", swap_id=job.id, model=job.model, behind=behind)
        if job.override_lease:
            # What cannot be told now is told when the swap begins.
            with suppress(UnavailableError):
                await self._gate.tell_through(job.id, job.requested_by)
        accepted = SwapAccepted(
            swap_id=job.id,
            model=job.model,
            requested_by=job.requested_by,
            queued_behind=behind,
        )
        await self._bus.publish_durable(
            swap_accepted(job.id),
            accepted,
            id=f"{job.id}:accepted",
            correlation_id=job.id,
            causation_id=job.id,
        )

    async def withdraw(self, job: SwapJob) -> SwapJob | None:
        """End a swap whose command was never stored; None when a worker has it after all."""
        cause = causes.not_accepted()
        ended = job.model_copy(update={"cause": cause, "failed_in": job.phase}).enter(
            Phase.FAILED, self._clock.now(), cause.sentence
        )
        with suppress(StaleWriterError):
            await self._store.finish(ended, job.revision, 0)
            return ended
        return None

    async def _refuse_loaded(self, candidate: Candidate) -> None:
        view = self._runtime_view()
        loaded = view.state == "serving" and view.model == candidate.key
        # While a swap is going on, what serves now says nothing about what will.
        if loaded and not await self._store.live():
            raise AlreadyLoadedError(f"{candidate.name} is serving already", model=candidate.key)

    async def _refuse_while_updating(self, request: RequestSwap) -> None:
        job_id = await self._updating()
        if job_id is not None and request.when_busy != "queue":
            raise JobInProgressError(
                "the cluster software is being updated; wait for that, cancel it, "
                "or ask to be queued",
                job_id=job_id,
            )

    def _job(
        self, swap_id: str, body: str, request: RequestSwap, candidate: Candidate, gate: Gate
    ) -> SwapJob:
        fresh = first_job(
            swap_id=swap_id,
            model=candidate.key,
            model_name=candidate.name,
            requested_by=request.requested_by,
            at=self._clock.now(),
        )
        view = self._runtime_view()
        return fresh.model_copy(
            update={
                "served_name": candidate.served_name,
                "previous": view.model,
                "previous_name": view.served_name,
                "when_busy": request.when_busy,
                "rollback": request.rollback,
                "force": request.force,
                "drop_caches": request.drop_caches,
                "lease_epoch": gate.epoch,
                "override_lease": not gate.admitted,
                "body_sha256": body,
            }
        )


def _conflict(swap_id: str) -> IdempotencyConflictError:
    return IdempotencyConflictError(
        "this id was used for another request; take a new one", id=swap_id
    )


def _body_sha256(request: RequestSwap) -> str:
    """Hash what was asked, without the key itself and without the secret."""
    asked = request.model_dump(mode="json", exclude={"id", "lock_token"})
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
