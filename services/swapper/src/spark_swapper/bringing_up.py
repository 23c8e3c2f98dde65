"""Launch, load and warm: how a model comes up, forwards and on the way back alike."""

from spark_common.clock import Clock
from spark_common.contracts.swaps import Cause
from spark_common.errors import HostKeyChangedError, SparkError, StaleEpochError
from spark_swapper import causes
from spark_swapper.attempt import Attempt
from spark_swapper.candidate import Candidate
from spark_swapper.causes import SwapFault
from spark_swapper.loading import STRANGER_LOOKS, Loading
from spark_swapper.runtime import Runtime
from spark_swapper.settings import SwapTimings

_LAUNCH_SECONDS = 90.0
"""A Spark that takes no order for this long is away; the guard makes repeating harmless."""
_WARM_SECONDS = 300.0
"""The first answer compiles kernels, which takes minutes after an image update."""


class BringingUp:
    """The three steps, each of which may be entered again after a restart."""

    def __init__(
        self, runtime: Runtime, timings: SwapTimings, clock: Clock, loading: Loading
    ) -> None:
        self._runtime = runtime
        self._timings = timings
        self._clock = clock
        self._loading = loading

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

    async def warm(self, attempt: Attempt, candidate: Candidate, step: str) -> None:
        """Return when a real token was streamed; raises SwapFault, CancelRequested."""
        deadline = self._clock.monotonic() + _WARM_SECONDS
        strangers = 0
        while True:
            attempt.stop_if_cancelled()
            served = await self._runtime.served(candidate.head)
            strangers = strangers + 1 if served and served.repo != candidate.repo else 0
            if served is not None and strangers >= STRANGER_LOOKS:
                raise SwapFault(causes.displaced(candidate.name, served.served_name))
            if served is None:
                problem: str | None = "It is not healthy any more."
                await self._die_if_dead(attempt, candidate, step, ails=True)
            elif served.repo != candidate.repo:
                problem = f"{served.repo} answers on its port."
            else:
                problem = await self._runtime.first_token(candidate.head, served.served_name)
                if problem is not None or len(candidate.hosts) > 1:
                    # A worker that dies shortly after ready takes the head along, but later; a
                    # wedged engine leaves a server that answers with errors.
                    await self._die_if_dead(attempt, candidate, step, ails=problem is not None)
            if problem is None:
                return
            attempt.stop_if_cancelled()
            if self._clock.monotonic() >= deadline:
                raise SwapFault(await self._no_answer(candidate, problem))
            await self._clock.sleep(self._timings.poll_seconds)

    async def _no_answer(self, candidate: Candidate, problem: str) -> Cause:
        """Tell a model that does not answer from a Spark that does not."""
        try:
            await self._runtime.container(candidate.head)
        except SparkError:
            label = self._runtime.label(candidate.head)
            step = f"{candidate.name} was to give its first answer"
            return causes.ssh_timeout(label, _WARM_SECONDS, step)
        return causes.no_answer(candidate.name, problem)

    async def _die_if_dead(
        self, attempt: Attempt, candidate: Candidate, step: str, *, ails: bool
    ) -> None:
        cause = await self._loading.autopsy(attempt, candidate, step, ails=ails)
        if cause is not None:
            raise SwapFault(cause)
