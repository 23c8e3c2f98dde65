"""The one outcome of a swap: told first, then recorded, repeated until both are certain."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

import structlog

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.contracts.swaps import Phase
from spark_common.events import SwapComplete, SwapFailed
from spark_common.jobs.outcomes import Outcomes
from spark_common.jobs.store import StaleWriterError
from spark_swapper import causes
from spark_swapper.records.jobs import SwapJob
from spark_swapper.records.store import JobStore
from spark_swapper.runtime import StaleFenceError

_log = structlog.get_logger()


class SwapOutcomes(Outcomes[SwapJob, SwapComplete | SwapFailed]):
    """Publishes outcomes; the first one stored for a swap is the one that counts."""

    def __init__(self, bus: Bus, store: JobStore, clock: Clock) -> None:
        super().__init__(
            bus,
            store,
            clock,
            kind="swap",
            stream="SC_SWAP_EVT",
            complete=SwapComplete,
            failed=SwapFailed,
        )

    def event(self, record: SwapJob) -> SwapComplete | SwapFailed:
        """Return the event that tells how a swap ended."""
        return outcome_event(record)

    def as_told(self, record: SwapJob, event: SwapComplete | SwapFailed) -> SwapJob:
        """Return the swap with the end that a stored outcome says."""
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
        return record.model_copy(update={**facts, "finished_at": event.finished_at})

    def facts(self, record: SwapJob) -> dict[str, Any]:
        """Return what the log says of a swap that ended."""
        return {
            "outcome": record.phase.value,
            "model": record.model,
            "attempt": record.attempt,
        }

    async def settle(
        self, record: SwapJob, expected: int, writer: int, told: Callable[[SwapJob], None]
    ) -> SwapJob:
        """Tell and record the end of a swap; raises StaleFenceError, as whatever was overtaken."""
        try:
            return await super().settle(record, expected, writer, told)
        except StaleWriterError as stale:
            raise StaleFenceError(str(stale)) from stale

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
            await self._store.finish(self.as_told(job, event).amend(), job.revision, writer)
        _log.info("swap.record_caught_up", swap_id=job.id)
        return True


def outcome_event(job: SwapJob) -> SwapComplete | SwapFailed:
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
        finished_at=finished_at,
    )
