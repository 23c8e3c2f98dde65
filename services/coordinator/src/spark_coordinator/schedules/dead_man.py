"""Outside jobs that are watched for: credited when they ask, missed when they never do."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from spark_common.clock import Clock
from spark_common.contracts.leases import AcquireLease
from spark_common.errors import UnavailableError
from spark_coordinator.schedules import telling
from spark_coordinator.schedules.moments import from_ms, to_ms
from spark_coordinator.schedules.record import Entry, LiveRun, window_of
from spark_coordinator.schedules.registry import Registry
from spark_coordinator.schedules.run_store import RunStore

EARLY = timedelta(minutes=15)
"""What a job asks for so long before its time counts for the run to come."""
_NOBODY = "someone"
"""The label of those who give none: it names nobody."""
_log = structlog.get_logger()


class DeadMan:
    """Every method may be repeated. Raises UnavailableError while Redis is away."""

    def __init__(
        self, registry: Registry, runs: RunStore, clock: Clock, told: Callable[[], None]
    ) -> None:
        """``told`` is called when an event was written that nobody has told yet."""
        self._registry = registry
        self._runs = runs
        self._clock = clock
        self._told = told

    async def asked(
        self, what: str, at: datetime, *, schedule_id: str | None = None, label: str | None = None
    ) -> None:
        """Credit a job that asked: by the id of its schedule, or by a label that names it.

        A label that is an owner's counts for one of the owner's schedules: of those that are
        due the latest one, else the one that comes next.
        """
        if schedule_id is None and label in (None, _NOBODY):
            return
        entries = [
            entry
            for entry in await self._registry.all()
            if entry.schedule.kind == "outside" and _is_named(entry, schedule_id, label)
        ]
        ids = {entry.id for entry in entries}
        waiting = [run for run in await self._runs.live() if run.schedule_id in ids]
        open_runs = [run for run in waiting if run.nominal - EARLY <= at <= run.until]
        if open_runs:
            await self._credit(open_runs[-1], what, at)
            return
        upcoming = [entry for entry in entries if entry.next_at and entry.next_at - EARLY <= at]
        if upcoming and not await self._is_of_latest(upcoming[0], at):
            await self._registry.note_ask(upcoming[0].id, to_ms(at))

    async def _is_of_latest(self, entry: Entry, at: datetime) -> bool:
        """Say whether it was asked for within the window of the latest run that is over.

        A job asks for more than one thing: what a run that has come goes on to ask for says
        nothing about the next one.
        """
        runs = (await self._runs.logs([entry.id], 1))[entry.id]
        return bool(runs) and runs[0].nominal <= at <= runs[0].nominal + window_of(entry.schedule)

    async def refused(self, request: AcquireLease) -> None:
        """Credit a job that was refused the lease: no event tells of it, yet it has asked."""
        # Whoever was refused hears just that, whether or not it can be noted.
        with suppress(UnavailableError):
            await self.asked(
                "asked for the lease",
                self._clock.now(),
                schedule_id=request.schedule_id,
                label=request.holder,
            )

    async def credit_early(self, run: LiveRun) -> None:
        """Credit a run that came due with what its job asked for shortly before."""
        entry = await self._registry.get(run.schedule_id)
        if entry is not None and entry.asked_ms is not None:
            at = from_ms(entry.asked_ms)
            if run.nominal - EARLY <= at <= run.until:
                await self._credit(run, "asked for the cluster", at)

    async def close_windows(self, is_caught_up: Callable[[], Awaitable[bool]]) -> None:
        """Tell, once, of every job that did not ask within its window.

        Nothing is said before all that was asked until now has been heard.
        """
        now = self._clock.now()
        closing = await self._runs.closing(to_ms(now))
        if not closing or not await is_caught_up():
            return
        for run_id in closing:
            run = await self._runs.get_live(run_id)
            if run is None:
                continue
            await self.credit_early(run)
            minutes = (run.until - run.nominal).total_seconds() / 60
            reason = f"the job asked for nothing within {minutes:g} min of its time"
            over = run.over("missed", reason, now)
            if await self._runs.finish(run, over, telling.missed(run, reason, now)):
                self._told()
                _log.warning("schedule.missed", run=run.id, why=reason)

    async def _credit(self, run: LiveRun, what: str, at: datetime) -> None:
        late = (at - run.nominal).total_seconds() / 60
        when = f"{late:.0f} min after its time" if late >= 0 else f"{-late:.0f} min before its time"
        came = run.model_copy(update={"started_at": at})
        over = came.over("done", f"The job {what} {when}.", at)
        if await self._runs.finish(run, over, credited=True):
            _log.info("schedule.asked", run=run.id, late_minutes=round(late, 1))


def _is_named(entry: Entry, schedule_id: str | None, label: str | None) -> bool:
    if schedule_id is not None:
        return entry.id == schedule_id
    return label in (entry.id, entry.schedule.owner)
