"""Waits for a Spark that is away, and for what must not be disturbed."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from spark_common.clock import Clock
from spark_common.contracts.swaps import Cause
from spark_common.errors import UnavailableError
from spark_common.jobs import JobJournal
from spark_health.overlay import causes
from spark_health.overlay.record import OverlayRecord
from spark_health.remedies.gate import Obstacles
from spark_health.remedies.holding import InTheWayError

Journal = JobJournal[OverlayRecord]
T = TypeVar("T")
_AWAY_SECONDS = 600.0
_CLEAR_SECONDS = 2 * 3600.0


class Waiting:
    """Says meanwhile what it waits for."""

    def __init__(
        self, obstacles: Obstacles, clock: Clock, poll_seconds: Callable[[], float]
    ) -> None:
        self._obstacles = obstacles
        self._clock = clock
        self._poll_seconds = poll_seconds

    async def until_answered(self, journal: Journal, ask: Callable[[], Awaitable[T]]) -> T:
        """Repeat what may be repeated while the Spark is away, for ten minutes.

        Raises UnavailableError after that.
        """
        deadline = self._clock.monotonic() + _AWAY_SECONDS
        while True:
            try:
                return await ask()
            except UnavailableError as error:
                if self._clock.monotonic() > deadline:
                    raise
                await journal.note(f"Waiting for {journal.record.label}: {error.message}.")
                await self._clock.sleep(self._poll_seconds())

    async def until_clear(self, journal: Journal, *, cancellable: bool = True) -> Cause | None:
        """Wait until nothing is in the way of a restart; returns why it will not be."""
        deadline = self._clock.monotonic() + _CLEAR_SECONDS
        while True:
            if cancellable and journal.cancelled_by is not None:
                return causes.cancelled(journal.cancelled_by)
            reason = await self._obstacles.now(journal.record.host, journal.record.epoch)
            if reason is None:
                return None
            if self._clock.monotonic() > deadline:
                return causes.plain("in_the_way", f"It had to wait too long: {reason}.")
            await self._note(journal, reason, cancellable=cancellable)

    async def alone(
        self,
        journal: Journal,
        step: str,
        act: Callable[[], Awaitable[Cause | None]],
        *,
        cancellable: bool = True,
    ) -> Cause | None:
        """Do a step that disturbs the container under the lease; returns what went wrong."""
        record = journal.record
        reason = f"{record.action} of {record.container}: {step}"
        while True:
            if fault := await self.until_clear(journal, cancellable=cancellable):
                return fault
            try:
                order = f"overlay {record.id} {step}"
                async with self._obstacles.held(record.host, record.epoch, order, reason):
                    return await act()
            except InTheWayError as why:
                await self._note(journal, str(why), cancellable=cancellable)

    async def _note(self, journal: Journal, reason: str, *, cancellable: bool) -> None:
        await journal.note(f"Waiting, the container is not disturbed now: {reason}.")
        if cancellable:
            await journal.pause(self._poll_seconds())
        else:
            await self._clock.sleep(self._poll_seconds())
