"""Waits after a stop until the memory is really back: the driver returns it late."""

import asyncio

from spark_common.clock import Clock
from spark_common.contracts.swaps import Cause
from spark_common.errors import HostKeyChangedError, SparkError
from spark_swapper import causes
from spark_swapper.causes import SwapFault
from spark_swapper.driving.attempt import Attempt
from spark_swapper.driving.pauses import growing
from spark_swapper.guarding.headroom import GIB, RESERVE, gib, memory_share, needed_bytes
from spark_swapper.launching.candidate import Candidate
from spark_swapper.runtime import Runtime

_RISING = 256 * 1024**2
"""Less than this more is no rise, only what other programs do."""
_STILL_SECONDS = 20.0
"""Once it rose and then did not for this long, the rest does not come back by itself."""


class MemorySettling:
    """Looks at every host of a launch until each has what the launch expects."""

    def __init__(
        self, runtime: Runtime, clock: Clock, most_seconds: float, poll_seconds: float
    ) -> None:
        self._runtime = runtime
        self._clock = clock
        self._most_seconds = most_seconds
        self._poll_seconds = poll_seconds

    async def run(self, attempt: Attempt, candidate: Candidate) -> None:
        """Return when the memory is there, or when no host says how much there is.

        Raises SwapFault with the numbers when it stopped rising, or the time is over, before
        there is what vLLM wants: a launch would fail, or take the host down.
        """
        await asyncio.gather(
            *(self._host(attempt, candidate, host) for host in sorted(candidate.hosts))
        )

    async def _host(self, attempt: Attempt, candidate: Candidate, host: str) -> None:
        share, label = memory_share(candidate.vllm_argv), self._runtime.label(host)
        began = self._clock.monotonic()
        highest: int | None = None
        rose_at: float | None = None
        pauses = growing(self._poll_seconds)
        while True:
            attempt.stop_if_cancelled()
            seen = await self._look(host)
            now = self._clock.monotonic()
            if seen is not None:
                total, available = seen
                needed = needed_bytes(share, total) if total else 0
                if available >= needed + RESERVE or not total:
                    return
                if highest is None:
                    highest = available
                elif available - highest >= _RISING:
                    highest, rose_at = available, now
                still = rose_at is not None and now - rose_at >= _STILL_SECONDS
                if still or now - began >= self._most_seconds:
                    if available >= needed:
                        # Enough to start, if only just: the watch over the load sees the rest.
                        return
                    raise SwapFault(_short(candidate.name, label, now - began, needed, available))
                await attempt.journal.note(
                    f"Waiting until {label} has its memory back: {gib(available)} of "
                    f"{gib(needed + RESERVE)} are available."
                )
            elif now - began >= self._most_seconds:
                # Silent: the launch itself will say so.
                return
            await self._clock.sleep(next(pauses))

    async def _look(self, host: str) -> tuple[int, int] | None:
        """Return total and available memory in bytes, 0 for unsaid; None while it is silent."""
        try:
            glance = await self._runtime.container(host)
        except HostKeyChangedError:
            raise
        except SparkError:
            return None
        if glance.memory_total_bytes is None or glance.memory_available_bytes is None:
            return 0, 0
        return glance.memory_total_bytes, glance.memory_available_bytes


def _short(name: str, label: str, seconds: float, needed: int, available: int) -> Cause:
    missing = gib(needed - available + GIB // 20)
    sentence = (
        f"{name} was not started: it needs {gib(needed)} on {label}, and {seconds:.0f} s after "
        f"the stop only {gib(available)} are available; {missing} are missing."
    )
    return causes.not_enough_memory(sentence, label)
