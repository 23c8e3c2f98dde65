"""What protects the memory of the Sparks while a swap runs."""

from spark_common.clock import Clock
from spark_common.contracts.swaps import Cause, Phase
from spark_swapper import causes
from spark_swapper.causes import SwapFault
from spark_swapper.driving.attempt import Attempt
from spark_swapper.guarding.page_cache import PageCache
from spark_swapper.guarding.quarantining import Quarantining
from spark_swapper.guarding.settling import MemorySettling
from spark_swapper.guarding.watchdog import Watchdog
from spark_swapper.launching.candidate import Candidate
from spark_swapper.records.jobs import SwapJob
from spark_swapper.runtime import Runtime
from spark_swapper.settings import GuardSettings, SwapTimings


class MemoryGuard:
    """The parts of the guard, as the steps of a swap call them."""

    def __init__(
        self,
        runtime: Runtime,
        quarantining: Quarantining,
        settings: GuardSettings,
        timings: SwapTimings,
        clock: Clock,
    ) -> None:
        self._runtime = runtime
        self._quarantining = quarantining
        self._settings = settings
        self._clock = clock
        self._watch: Watchdog | None = None
        self._load: tuple[Attempt, Candidate, bool] | None = None
        self._settling = MemorySettling(
            runtime, clock, settings.memory_settle_seconds, timings.poll_seconds
        )
        self._page_cache = PageCache(runtime, clock, timings.poll_seconds)

    async def before_stop(self, attempt: Attempt, candidate: Candidate) -> None:
        """Empty the page cache when asked: the container that may do it is still there."""
        if attempt.journal.job.drop_caches or self._settings.drop_caches:
            await self._page_cache.flush(attempt, candidate)

    async def after_stop(self, attempt: Attempt, candidate: Candidate) -> None:
        """Wait until the memory is back; raises SwapFault when it does not come."""
        await self._settling.run(attempt, candidate)

    async def admit(self, candidate: Candidate) -> None:
        """Raise SwapFault when the model took a Spark down: not even the way back loads it."""
        quarantine = await self._quarantining.of(candidate.key)
        if quarantine is not None:
            raise SwapFault(causes.quarantined(candidate.name, quarantine))

    def watch(self, attempt: Attempt, candidate: Candidate) -> Watchdog:
        """Return the watch over one load: in all its phases the same, which knows what was."""
        load = (attempt, candidate, attempt.journal.job.phase is Phase.ROLLING_BACK)
        if self._watch is None or self._load != load:
            self._load = load
            self._watch = Watchdog(
                attempt, candidate, self._runtime, self._quarantining, self._settings, self._clock
            )
        return self._watch

    async def way_back(self, job: SwapJob, cause: Cause) -> str | None:
        """Return the sentence that the previous model is coming back; None when it must not.

        It comes back when asked; and after a load that was ended to protect a Spark, always.
        """
        asked = job.rollback or cause.code == causes.LOW_MEMORY_ABORTED
        if not asked or not job.previous:
            return None
        if await self._quarantining.of(job.previous) is not None:
            return None
        name = job.previous_name or job.previous
        unasked = "" if job.rollback else ", as always after such an end"
        return f"{cause.sentence} Bringing {name} back{unasked}."
