"""The one outcome of a swap: told first, then recorded, repeated until both are certain."""

from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import structlog

from spark_common.bus.port import Bus, Duplicate, Refused, Stored
from spark_common.clock import Clock
from spark_common.contracts.swaps import Phase
from spark_common.errors import UnavailableError
from spark_common.events import SwapComplete, SwapFailed
from spark_common.jobs.store import StaleWriterError
from spark_common.subjects import swap_complete, swap_failed, swap_outcomes
from spark_swapper import causes
from spark_swapper.jobs import SwapJob
from spark_swapper.runtime import StaleFenceError
from spark_swapper.store import JobStore

STREAM = "SC_SWAP_EVT"
_log = structlog.get_logger()
_AGAIN_SECONDS = 2.0


class Outcomes:
    """Publishes outcomes; the first one stored for a swap is the one that counts."""

    def __init__(self, bus: Bus, store: JobStore, clock: Clock) -> None:
        self._bus = bus
        self._store = store
        self._clock = clock

    async def settle(
        self, job: SwapJob, expected: int, writer: int, told: Callable[[SwapJob], None]
    ) -> SwapJob:
        """Tell and record the end of a swap; returns the end that stands.

        ``told`` is called with it in between, as soon as the event is stored.
        Waits for the bus and for Redis as long as it takes. Raises StaleFenceError when the
        record belongs to a newer worker.
        """
        standing = await self.publish(job)
        told(standing)
        while True:
            try:
                await self._store.finish(standing, expected, writer)
            except StaleWriterError as stale:
                raise StaleFenceError(str(stale)) from stale
            except UnavailableError:
                _log.warning("swap.outcome_unrecorded", swap_id=job.id)
                await self._clock.sleep(_AGAIN_SECONDS)
            else:
                break
        _log.info(
            "swap.finished",
            swap_id=standing.id,
            model=standing.model,
            outcome=standing.phase.value,
            cause=standing.cause.code if standing.cause else None,
            took_seconds=round(standing.total_seconds(self._clock.now()), 1),
            attempt=standing.attempt,
        )
        return standing

    async def publish(self, job: SwapJob) -> SwapJob:
        """Store the outcome event unless one stands; returns the swap as the standing one says."""
        event = outcome_event(job)
        complete = isinstance(event, SwapComplete)
        subject = swap_complete(job.id) if complete else swap_failed(job.id)
        while True:
            result = await self._bus.publish_durable(
                subject,
                event,
                id=f"{job.id}:outcome",
                correlation_id=job.id,
                first_on=swap_outcomes(job.id),
            )
            if isinstance(result, Stored):
                return job
            if isinstance(result, Duplicate | Refused):
                standing = await self._standing_job(job)
                if standing is not None:
                    return standing
            _log.warning("swap.outcome_untold", swap_id=job.id, result=type(result).__name__)
            await self._clock.sleep(_AGAIN_SECONDS)

    async def standing(self, swap_id: str) -> SwapComplete | SwapFailed | None:
        """Return the outcome that is stored, or None. Raises UnavailableError."""
        done = await self._bus.last_message(STREAM, swap_complete(swap_id))
        if done is not None and done.envelope is not None:
            return SwapComplete.model_validate(done.envelope.data)
        failed = await self._bus.last_message(STREAM, swap_failed(swap_id))
        if failed is not None and failed.envelope is not None:
            return SwapFailed.model_validate(failed.envelope.data)
        return None

    async def catch_up(self, job: SwapJob, writer: int) -> bool:
        """Record the end that was told for this swap; False when none was. Raises UnavailableError.

        A record falls behind its outcome when its worker is killed in between, or when the
        records were lost and a repeated request wrote the swap anew.
        """
        event = await self.standing(job.id)
        if event is None or event.dry_run:
            return False
        with suppress(StaleWriterError):
            # Stale: the record moved on just now, and whoever moved it ends it.
            await self._store.finish(_as_told(job, event).amend(), job.revision, writer)
        _log.info("swap.record_caught_up", swap_id=job.id)
        return True

    async def _standing_job(self, job: SwapJob) -> SwapJob | None:
        try:
            event = await self.standing(job.id)
        except UnavailableError:
            return None
        if event is None or event == outcome_event(job):
            return job if event is not None else None
        return _as_told(job, event)


def _as_told(job: SwapJob, event: SwapComplete | SwapFailed) -> SwapJob:
    if isinstance(event, SwapComplete):
        facts: dict[str, object] = {"phase": Phase.READY, "cause": None, "serving": event.model}
        facts["degraded"] = event.degraded
    else:
        facts = {
            "phase": Phase(event.outcome),
            "cause": event.cause,
            "failed_in": event.failed_in,
            "serving": event.serving,
        }
    return job.model_copy(update={**facts, "finished_at": event.finished_at})


def outcome_event(job: SwapJob, *, dry_run: bool = False) -> SwapComplete | SwapFailed:
    """Return the event that tells how a swap ended."""
    finished_at = job.finished_at or job.created_at
    total_seconds = round(job.total_seconds(finished_at), 3)
    if job.phase is Phase.READY:
        return SwapComplete(
            swap_id=job.id,
            model=job.model,
            served_name=job.served_name or job.model,
            previous=job.previous,
            requested_by=job.requested_by,
            total_seconds=total_seconds,
            phase_seconds=job.phase_seconds(),
            degraded=job.degraded,
            dry_run=dry_run,
            finished_at=finished_at,
        )
    outcome: dict[Phase, Literal["cancelled", "rolled_back"]] = {
        Phase.CANCELLED: "cancelled",
        Phase.ROLLED_BACK: "rolled_back",
    }
    return SwapFailed(
        swap_id=job.id,
        model=job.model,
        previous=job.previous,
        requested_by=job.requested_by,
        outcome=outcome.get(job.phase, "failed"),
        cause=job.cause or causes.interrupted(),
        failed_in=job.failed_in or job.phase,
        serving=job.serving,
        total_seconds=total_seconds,
        phase_seconds=job.phase_seconds(),
        dry_run=dry_run,
        finished_at=finished_at,
    )
