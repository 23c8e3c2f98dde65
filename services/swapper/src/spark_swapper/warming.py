"""A model that loaded is ready only when a token came out of it the way clients get one."""

import structlog

from spark_common.clock import Clock
from spark_common.errors import SparkError
from spark_swapper import causes
from spark_swapper.attempt import Attempt
from spark_swapper.canary_watch import CanaryWatch
from spark_swapper.candidate import Candidate
from spark_swapper.causes import SwapFault
from spark_swapper.loading import Loading
from spark_swapper.ports import ClientPath
from spark_swapper.runtime import Runtime, Served
from spark_swapper.settings import SwapTimings

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
        while True:
            attempt.stop_if_cancelled()
            served = await self._runtime.served(candidate.head)
            if served is None:
                problem = "It is not healthy any more."
                cause = await self._loading.autopsy(attempt, candidate, step)
                if cause is not None:
                    raise SwapFault(cause)
            elif served.repo != candidate.repo:
                problem = f"{served.repo} answers on its port."
            else:
                token = await self._first_token(attempt, candidate, served.served_name)
                if token is None:
                    return await self._sense(attempt, candidate, served)
                problem = token
            attempt.stop_if_cancelled()
            if self._clock.monotonic() >= deadline:
                raise SwapFault(causes.no_answer(candidate.name, problem))
            await self._clock.sleep(self._timings.poll_seconds)

    async def _sense(self, attempt: Attempt, candidate: Candidate, served: Served) -> str | None:
        """Ask the test questions; a model that answers with gibberish serves all the same."""
        found = await attempt.unless_cancelled(self._canary.examine(candidate.head, served))
        if found is None:
            return None
        await attempt.journal.note(lines=(found.sentence,))
        return found.sentence

    async def _first_token(
        self, attempt: Attempt, candidate: Candidate, served_name: str
    ) -> str | None:
        pooling = candidate.pooling
        head, first = candidate.head, self._runtime.hosts[0]
        if head == first:
            try:
                return await attempt.unless_cancelled(
                    self._clients.first_token(served_name, pooling=pooling)
                )
            except SparkError as error:
                why = "no gateway answers"
                _log.info("swap.gateway_silent", swap_id=attempt.journal.job.id, why=error.message)
        else:
            why = f"clients are sent to {self._runtime.label(first)}"
        line = f"The first token is asked for through the runtime's own port: {why}."
        await attempt.journal.note(lines=(line,))
        return await attempt.unless_cancelled(
            self._runtime.first_token(head, served_name, pooling=pooling)
        )
