"""Ends records nobody will ever carry out: without a command, or with one that had its outcome."""

import structlog

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.contracts.swaps import Phase
from spark_common.errors import UnavailableError
from spark_common.subjects import swap_start
from spark_swapper.admitting.admission import Admission
from spark_swapper.records.outcomes import SwapOutcomes
from spark_swapper.records.store import JobStore

_GRACE_SECONDS = 30.0
_log = structlog.get_logger()


class Sweeping:
    """A process killed between record and command leaves the former behind.

    A request that is repeated after the records were lost leaves the latter.
    """

    def __init__(
        self, bus: Bus, store: JobStore, admission: Admission, outcomes: SwapOutcomes, clock: Clock
    ) -> None:
        self._bus = bus
        self._store = store
        self._admission = admission
        self._outcomes = outcomes
        self._clock = clock

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            try:
                await self.sweep()
            except UnavailableError as error:
                _log.debug("swapper.sweep_later", why=error.message)
            await self._clock.sleep(_GRACE_SECONDS)

    async def sweep(self) -> None:
        """Look once. Raises UnavailableError."""
        for job in await self._store.live():
            age = (self._clock.now() - job.created_at).total_seconds()
            if job.phase is not Phase.QUEUED or age < _GRACE_SECONDS:
                continue
            if await self._bus.last_message("SC_SWAP_CMD", swap_start(job.id)) is not None:
                await self._outcomes.catch_up(job, 0)
                continue
            ended = await self._admission.withdraw(job)
            if ended is not None:
                _log.warning("swap.never_accepted", swap_id=job.id)
                await self._outcomes.publish(ended)
