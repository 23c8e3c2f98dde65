"""Waits for a Spark that went away in the middle of an update, and says so meanwhile."""

from collections.abc import Awaitable, Callable

from spark_common.clock import Clock
from spark_common.errors import SparkError, UnavailableError
from spark_common.jobs import JobJournal
from spark_swapper.updates.record import UpdateRecord

PATIENCE_SECONDS = 600.0


class Waiting:
    """Repeats what may be repeated until the Spark answers, for at most ten minutes."""

    def __init__(self, clock: Clock, poll_seconds: float) -> None:
        self._clock = clock
        self._poll_seconds = poll_seconds

    async def until_answered(
        self,
        journal: JobJournal[UpdateRecord],
        label: str,
        ask: Callable[[], Awaitable[str | None]],
    ) -> str | None:
        """Return the answer, or what went wrong as words."""
        deadline = self._clock.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return await ask()
            except UnavailableError as error:
                if self._clock.monotonic() > deadline:
                    return error.message
                await journal.note(f"Waiting for {label}: {error.message}.")
                await self._clock.sleep(self._poll_seconds)
            except SparkError as error:
                return error.message
