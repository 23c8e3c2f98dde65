"""Empties the page cache before a load, by choice: full, it slows a load down to nothing."""

import asyncio

from spark_common.clock import Clock
from spark_common.errors import HostKeyChangedError, SparkError, StaleEpochError
from spark_swapper import runtime
from spark_swapper.driving.attempt import Attempt
from spark_swapper.launching.candidate import Candidate
from spark_swapper.runtime import Runtime

_MOST_SECONDS = 120.0


class PageCache:
    """One guarded step per host; that it fails is worth a line, not the swap."""

    def __init__(self, cluster: Runtime, clock: Clock, poll_seconds: float) -> None:
        self._runtime = cluster
        self._clock = clock
        self._poll_seconds = poll_seconds

    async def flush(self, attempt: Attempt, candidate: Candidate) -> None:
        """Empty the page cache of every host of a launch; returns when that is over."""
        await attempt.journal.note("Emptying the page cache.")
        said = await asyncio.gather(
            *(self._host(attempt, candidate, host) for host in candidate.hosts)
        )
        await attempt.journal.note(lines=tuple(said))

    async def _host(self, attempt: Attempt, candidate: Candidate, host: str) -> str:
        label, order = self._runtime.label(host), attempt.order(runtime.FLUSH)
        deadline = self._clock.monotonic() + _MOST_SECONDS
        try:
            await self._runtime.flush(order, candidate, host)
            while self._clock.monotonic() < deadline:
                attempt.stop_if_cancelled()
                glance = await self._runtime.container(host, order)
                if glance.launcher == "ended":
                    words = glance.launcher_output.strip().splitlines()
                    return f"Page cache of {label}: {words[-1] if words else 'no word of it'}"
                await self._clock.sleep(self._poll_seconds)
        except (StaleEpochError, HostKeyChangedError):
            raise
        except SparkError as error:
            return f"The page cache of {label} was not emptied: {error.message}"
        return f"The page cache of {label} was not emptied within {_MOST_SECONDS:.0f} s."
