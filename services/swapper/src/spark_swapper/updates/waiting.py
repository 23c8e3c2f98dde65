"""Waits for a Spark that went away in the middle of an update, and says so meanwhile."""

from collections.abc import Awaitable, Callable, Sequence

from spark_common.clock import Clock
from spark_common.errors import SparkError, UnavailableError
from spark_common.jobs import JobJournal
from spark_swapper.updates.looking import SoftwareLook
from spark_swapper.updates.record import UpdateRecord
from spark_swapper.updates.sight import Sight

PATIENCE_SECONDS = 600.0


class Waiting:
    """Repeats what may be repeated until the Spark answers, for at most ten minutes."""

    def __init__(self, look: SoftwareLook, clock: Clock, poll_seconds: Callable[[], float]) -> None:
        self._look = look
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
                await self._clock.sleep(self._poll_seconds())
            except SparkError as error:
                return error.message

    async def until_seen(
        self, journal: JobJournal[UpdateRecord], hosts: Sequence[str]
    ) -> Sequence[Sight]:
        """Look at these hosts until each of them answered."""
        deadline = self._clock.monotonic() + PATIENCE_SECONDS
        while True:
            sights = await self._look.look(hosts)
            away = next((sight.away for sight in sights if sight.away is not None), None)
            if away is None or self._clock.monotonic() > deadline:
                return sights
            await journal.note(f"Waiting: {away}")
            await self._clock.sleep(self._poll_seconds())
