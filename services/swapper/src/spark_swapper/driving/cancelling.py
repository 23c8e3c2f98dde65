"""Cancellations: of the swap that runs, by a flag; of one that waits, at once."""

import structlog
from pydantic import ValidationError

from spark_common.bus.port import Bus, Delivery
from spark_common.clock import Clock
from spark_common.contracts.swaps import Phase
from spark_common.events import SwapCancel
from spark_common.jobs.store import StaleWriterError
from spark_swapper import causes
from spark_swapper.driving.patience import patiently
from spark_swapper.driving.taking import take
from spark_swapper.driving.worker import Worker
from spark_swapper.records.outcomes import SwapOutcomes
from spark_swapper.records.store import JobStore

STREAM = "SC_SWAP_CMD"
DURABLE = "swapper-cancel"
_RETRY_SECONDS = 5.0
_log = structlog.get_logger()


class Cancelling:
    """Takes ``swap.cancel.<id>``; cancelling what is over changes nothing."""

    def __init__(
        self, bus: Bus, store: JobStore, worker: Worker, outcomes: SwapOutcomes, clock: Clock
    ) -> None:
        self._bus = bus
        self._store = store
        self._worker = worker
        self._outcomes = outcomes
        self._clock = clock

    async def run(self) -> None:
        """Take cancellations for ever."""
        broke = "swapper.cancel_broke"
        await take(
            self._bus, STREAM, DURABLE, self._handle, broke=broke, again_seconds=_RETRY_SECONDS
        )

    async def _handle(self, delivery: Delivery) -> None:
        envelope = delivery.message.envelope
        try:
            if envelope is None:
                raise ValueError("bare")
            command = SwapCancel.model_validate(envelope.data)
        except (ValidationError, ValueError):
            await delivery.drop("not a swap.cancel command")
            return
        _log.info("swap.cancel_requested", swap_id=command.swap_id)
        self._worker.cancel(command.swap_id, command.requested_by)
        await patiently(
            self._clock,
            lambda: self._store.request_cancel(command.swap_id, command.requested_by),
        )
        await self._end_queued(command.swap_id, command.requested_by)
        await delivery.done()

    async def _end_queued(self, swap_id: str, by: str) -> None:
        """End a swap no worker has taken: recorded first, so that no worker can take it."""
        job = await patiently(self._clock, lambda: self._store.get(swap_id))
        if job is None or job.phase is not Phase.QUEUED:
            return
        cause = causes.cancelled(by)
        ended = job.model_copy(update={"cause": cause, "failed_in": Phase.QUEUED}).enter(
            Phase.CANCELLED, self._clock.now(), f"{cause.sentence} It had not begun."
        )
        try:
            await patiently(self._clock, lambda: self._store.finish(ended, job.revision, 0))
        except StaleWriterError:
            # A worker took it just now; it reads the flag.
            self._worker.cancel(swap_id, by)
            return
        await self._outcomes.publish(ended)
