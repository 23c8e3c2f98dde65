"""Takes the running model away, everywhere, and believes it only when docker says gone."""

import asyncio
from collections.abc import Callable

from spark_common.clock import Clock
from spark_common.errors import HostKeyChangedError, SparkError, StaleEpochError
from spark_swapper import causes
from spark_swapper.causes import SwapFault
from spark_swapper.driving.attempt import Attempt
from spark_swapper.driving.pauses import growing
from spark_swapper.launching.candidate import Candidate
from spark_swapper.runtime import Runtime
from spark_swapper.settings import SwapTimings


class Stopping:
    """Stops the container on every host that has one.

    The launcher's own answer means nothing (it is 0 even when nothing worked) and removal is
    asynchronous, so the next launch waits until docker knows the container no more.
    """

    def __init__(self, runtime: Runtime, timings: Callable[[], SwapTimings], clock: Clock) -> None:
        self._runtime = runtime
        self._timings = timings
        self._clock = clock

    async def run(self, attempt: Attempt, candidate: Candidate, step: str, deadline: float) -> None:
        """Return when the container is gone from every host.

        A silent host that ``candidate`` does not need is left out: nothing is launched there.
        Raises SwapFault when a needed one is not clear in time.
        """
        remaining = set(self._runtime.hosts)
        pauses = growing(self._timings().poll_seconds)
        while True:
            looks = await asyncio.gather(
                *(self._ask(attempt, candidate, step, host) for host in sorted(remaining))
            )
            waiting = dict(zip(sorted(remaining), looks, strict=True))
            remaining = {host for host, why in waiting.items() if why is not None}
            late = self._clock.monotonic() >= deadline
            needed = remaining & set(candidate.hosts)
            if not remaining or (late and not needed):
                return
            host = sorted(needed or remaining)[0]
            why = waiting[host] or ""
            if not needed and why.startswith("SSH"):
                return
            if late:
                label, seconds = self._runtime.label(host), self._timings().stop_seconds
                if why.startswith("SSH"):
                    raise SwapFault(causes.ssh_timeout(label, seconds, "it was to stop a model"))
                raise SwapFault(causes.not_stopped(label, seconds, why))
            await attempt.journal.note(f"Waiting for {self._runtime.label(host)}: {why}.")
            await self._clock.sleep(next(pauses))

    async def _ask(
        self, attempt: Attempt, candidate: Candidate, step: str, host: str
    ) -> str | None:
        """Order the stop where a container is; return why it is not gone, None when it is."""
        try:
            glance = await self._runtime.container(host)
            if glance.container == "missing":
                return None
            if glance.container == "unclear":
                return f"docker does not answer ({glance.detail})"
            await self._runtime.stop(attempt.order(step), candidate, host)
        except (StaleEpochError, HostKeyChangedError):
            raise
        except SparkError as error:
            return f"SSH: {error.message}"
        return "the old container is still there"
