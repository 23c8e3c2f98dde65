"""Launch, load and warm: how a model comes up, forwards and on the way back alike."""

from spark_common.clock import Clock
from spark_common.errors import HostKeyChangedError, SparkError, StaleEpochError
from spark_swapper import causes
from spark_swapper.causes import SwapFault
from spark_swapper.driving.attempt import Attempt
from spark_swapper.launching.candidate import Candidate
from spark_swapper.loads.loading import Loading
from spark_swapper.readiness.warming import Warming
from spark_swapper.runtime import Runtime
from spark_swapper.settings import SwapTimings

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
        await self._refuse_if_occupied(attempt, candidate, step)
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

    async def _refuse_if_occupied(self, attempt: Attempt, candidate: Candidate, step: str) -> None:
        """Into a container that stands there the launcher starts a second vLLM."""
        try:
            glance = await self._runtime.container(candidate.head)
            if glance.container in ("missing", "unclear"):
                return
            if step in await self._runtime.steps(attempt.journal.job.id, candidate.head):
                return
        except HostKeyChangedError:
            raise
        except SparkError:
            return
        label = self._runtime.label(candidate.head)
        if glance.processes:
            raise SwapFault(causes.occupied(candidate.name, label))
        raise SwapFault(causes.leftover(candidate.name, label))

    async def load(self, attempt: Attempt, candidate: Candidate, step: str) -> None:
        """Return when the model answers over HTTP; raises SwapFault, CancelRequested."""
        await self._loading.run(attempt, candidate, step)

    async def warm(self, attempt: Attempt, candidate: Candidate, step: str) -> str | None:
        """Return when a real token came the way clients get one; raises SwapFault.

        Returns why the answers are no sense, None when nothing speaks against them.
        """
        return await self._warming.run(attempt, candidate, step)
