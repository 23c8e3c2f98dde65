"""A model that loaded is ready only when a token came out of it the way clients get one."""

from collections.abc import Awaitable
from typing import TypeVar

import structlog

from spark_common.clock import Clock
from spark_common.contracts.swaps import Cause
from spark_common.errors import SparkError
from spark_swapper import causes
from spark_swapper.causes import SwapFault
from spark_swapper.driving.attempt import Attempt
from spark_swapper.guarding.watchdog import Watchdog
from spark_swapper.launching.candidate import Candidate
from spark_swapper.loads.loading import STRANGER_LOOKS, Loading
from spark_swapper.ports import ClientPath
from spark_swapper.readiness.canary_watch import CanaryWatch
from spark_swapper.runtime import Runtime, Served
from spark_swapper.settings import SwapTimings

T = TypeVar("T")
_WARM_SECONDS = 300.0
"""The first answer compiles kernels, which takes minutes after an image update."""
_log = structlog.get_logger()


class Warming:
    """Asks through the gateway; only when none answers, at the runtime's own port."""

    def __init__(
        self,
        runtime: Runtime,
        clients: ClientPath,
        timings: SwapTimings,
        clock: Clock,
        loading: Loading,
        canary: CanaryWatch,
    ) -> None:
        self._runtime = runtime
        self._clients = clients
        self._timings = timings
        self._clock = clock
        self._loading = loading
        self._canary = canary

    async def run(self, attempt: Attempt, candidate: Candidate, step: str) -> str | None:
        """Return when a real token came: None, or why the answers are no sense all the same.

        Raises SwapFault, CancelRequested.
        """
        deadline = self._clock.monotonic() + _WARM_SECONDS
        strangers = 0
        watch = self._watch(attempt, candidate)
        while True:
            attempt.stop_if_cancelled()
            served = await self._runtime.served(candidate.head)
            strangers = strangers + 1 if served and served.repo != candidate.repo else 0
            if served is not None and strangers >= STRANGER_LOOKS:
                raise SwapFault(causes.displaced(candidate.name, served.served_name))
            if served is None:
                problem = "It is not healthy any more."
                await self._die_if_dead(attempt, candidate, step, ails=True)
            elif served.repo != candidate.repo:
                problem = f"{served.repo} answers on its port."
            else:
                token = await self._first_token(attempt, candidate, served.served_name, watch)
                if token is not None or len(candidate.hosts) > 1:
                    # A worker that dies shortly after ready takes the head along, but later; a
                    # wedged engine leaves a server that answers with errors.
                    await self._die_if_dead(attempt, candidate, step, ails=token is not None)
                if token is None:
                    return await self._sense(attempt, candidate, served, watch)
                problem = token
            attempt.stop_if_cancelled()
            if self._clock.monotonic() >= deadline:
                raise SwapFault(await self._no_answer(candidate, problem))
            await self._clock.sleep(self._timings.poll_seconds)
            if watch is not None:
                await watch.look_itself()

    async def _die_if_dead(
        self, attempt: Attempt, candidate: Candidate, step: str, *, ails: bool
    ) -> None:
        cause = await self._loading.autopsy(attempt, candidate, step, ails=ails)
        if cause is not None:
            raise SwapFault(cause)

    async def _no_answer(self, candidate: Candidate, problem: str) -> Cause:
        """Tell a model that does not answer from a Spark that does not."""
        try:
            await self._runtime.container(candidate.head)
        except SparkError:
            label = self._runtime.label(candidate.head)
            step = f"{candidate.name} was to give its first answer"
            return causes.ssh_timeout(label, _WARM_SECONDS, step)
        return causes.no_answer(candidate.name, problem)

    def _watch(self, attempt: Attempt, candidate: Candidate) -> Watchdog | None:
        """Return the watch over what this swap loaded; what served before it is left alone."""
        return self._loading.watch(attempt, candidate) if attempt.journal.job.touched else None

    async def _asked(self, attempt: Attempt, question: Awaitable[T], watch: Watchdog | None) -> T:
        """Await a question; a first one computes as hard as the load did."""
        if watch is not None:
            question = watch.over(question, self._timings.poll_seconds)
        return await attempt.unless_cancelled(question)

    async def _sense(
        self, attempt: Attempt, candidate: Candidate, served: Served, watch: Watchdog | None
    ) -> str | None:
        """Ask the test questions; a model that answers with gibberish serves all the same."""
        found = await self._asked(attempt, self._canary.examine(candidate.head, served), watch)
        if found is None:
            return None
        await attempt.journal.note(lines=(found.sentence,))
        return found.sentence

    async def _first_token(
        self, attempt: Attempt, candidate: Candidate, served_name: str, watch: Watchdog | None
    ) -> str | None:
        pooling = candidate.pooling
        head, first = candidate.head, self._runtime.hosts[0]
        if head == first:
            question = self._clients.first_token(served_name, pooling=pooling)
            try:
                return await self._asked(attempt, question, watch)
            except SparkError as error:
                why = "no gateway answers"
                _log.info("swap.gateway_silent", swap_id=attempt.journal.job.id, why=error.message)
        else:
            why = f"clients are sent to {self._runtime.label(first)}"
        line = f"The first token is asked for through the runtime's own port: {why}."
        await attempt.journal.note(lines=(line,))
        question = self._runtime.first_token(head, served_name, pooling=pooling)
        return await self._asked(attempt, question, watch)
