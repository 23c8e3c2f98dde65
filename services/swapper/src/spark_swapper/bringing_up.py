"""Launch, load and warm: how a model comes up, forwards and on the way back alike."""

from spark_common.clock import Clock
from spark_common.errors import HostKeyChangedError, SparkError, StaleEpochError
from spark_swapper import causes
from spark_swapper.attempt import Attempt
from spark_swapper.candidate import Candidate
from spark_swapper.causes import SwapFault
from spark_swapper.loading import Loading
from spark_swapper.runtime import Runtime
from spark_swapper.settings import SwapTimings
from spark_swapper.warming import Warming

_LAUNCH_SECONDS = 90.0
"""A Spark that takes no order for this long is away; the guard makes repeating harmless."""


class BringingUp:
    """The three steps, each of which may be entered again after a restart."""

    def __init__(
        self,
        runtime: Runtime,
        timings: SwapTimings,
        clock: Clock,
        loading: Loading,
        warming: Warming,
    ) -> None:
        self._runtime = runtime
        self._timings = timings
        self._clock = clock
        self._loading = loading
        self._warming = warming

    async def launch(self, attempt: Attempt, candidate: Candidate, step: str) -> None:
        """Order the launch, at most once however often this is called; raises SwapFault."""
        label = self._runtime.label(candidate.head)
        began = self._clock.monotonic()
        while True:
            attempt.stop_if_cancelled()
            try:
                await self._runtime.launch(attempt.order(step), candidate)
            except (StaleEpochError, HostKeyChangedError):
                raise
            except SparkError as error:
                silent = self._clock.monotonic() - began
                if not error.retryable:
                    raise SwapFault(
                        causes.launch_failed(candidate.name, label, error.message)
                    ) from error
                if silent >= _LAUNCH_SECONDS:
                    step_now = f"{candidate.name} was to be started"
                    raise SwapFault(causes.ssh_timeout(label, silent, step_now)) from error
                await attempt.journal.note(f"waiting for {label} (SSH silent {silent:.0f} s)")
                await self._clock.sleep(self._timings.poll_seconds)
            else:
                return

    async def load(self, attempt: Attempt, candidate: Candidate, step: str) -> None:
        """Return when the model answers over HTTP; raises SwapFault, CancelRequested."""
        await self._loading.run(attempt, candidate, step)

    async def warm(self, attempt: Attempt, candidate: Candidate, step: str) -> str | None:
        """Return when a real token came the way clients get one; raises SwapFault.

        Returns why the answers are no sense, None when nothing speaks against them.
        """
        return await self._warming.run(attempt, candidate, step)
