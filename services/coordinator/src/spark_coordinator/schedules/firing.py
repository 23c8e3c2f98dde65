"""Looks which schedules have come due and makes their runs: once, whoever else looks too."""

from collections.abc import Callable
from datetime import datetime

import structlog

from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_coordinator.schedules import telling
from spark_coordinator.schedules.misfire import Decision, decide
from spark_coordinator.schedules.moments import from_ms, to_ms
from spark_coordinator.schedules.record import Entry, LiveRun, due_run
from spark_coordinator.schedules.registry import Registry
from spark_coordinator.schedules.run_store import KEPT_RUNS, Mark, RunStore
from spark_coordinator.schedules.times import come_due, first

_AT_A_LOOK = 100
_log = structlog.get_logger()


class Firing:
    """Moves due schedules on. Two that do it at the same time are one: the script compares."""

    def __init__(
        self, registry: Registry, runs: RunStore, clock: Clock, told: Callable[[], None]
    ) -> None:
        """``told`` is called when events were written that nobody has told yet."""
        self._told = told
        self._registry = registry
        self._runs = runs
        self._clock = clock

    async def look(self) -> list[LiveRun]:
        """Make the runs of what is due now and return those that were made here.

        Raises UnavailableError.
        """
        now = self._clock.now()
        made = []
        entries = await self._registry.due(to_ms(now), _AT_A_LOOK)
        busy = {run.schedule_id: run for run in await self._runs.live()} if entries else {}
        for entry in entries:
            try:
                made += await self._fire(entry, busy.get(entry.id), now)
            except UnavailableError:
                raise
            except Exception:
                # The others come due all the same.
                _log.exception("schedule.fire_broke", schedule=entry.id)
        if entries:
            self._told()
        return made

    async def _fire(self, entry: Entry, busy: LiveRun | None, now: datetime) -> list[LiveRun]:
        if entry.next_ms is None:
            return []
        timing = entry.timing
        times = come_due(timing, from_ms(entry.next_ms), now, KEPT_RUNS)
        decision = decide(entry.schedule, times, now)
        run = due_run(entry, decision.run) if decision.run is not None else None
        marks = _missed(entry, decision, now)
        if run is not None:
            marks.append(_due(entry, run, busy, now))
        upcoming = first(timing, now)
        next_ms = to_ms(upcoming) if upcoming is not None else None
        if not await self._runs.fire(entry, next_ms, marks):
            return []
        late = (now - times[-1]).total_seconds()
        _log.info(
            "schedule.fired",
            schedule=entry.id,
            run=run.id if run is not None else None,
            missed=len(decision.passed),
            late_seconds=round(late, 3),
        )
        return [run] if run is not None else []

    async def realign(self) -> None:
        """Bring forward what waits for a time too far away, after clocks were set back.

        While a clock was ahead, schedules moved on to times that are not next any more. Times
        that came due already do not come again.
        """
        now = self._clock.now()
        for entry in await self._registry.all():
            if entry.next_ms is None or entry.next_ms <= to_ms(now):
                continue
            earlier = await self._skipped_over(entry, now)
            if earlier is not None:
                await self._registry.move(entry, earlier)
                _log.warning("schedule.realigned", schedule=entry.id, next=from_ms(earlier))

    async def _skipped_over(self, entry: Entry, now: datetime) -> int | None:
        moment: datetime | None = now
        for _ in range(KEPT_RUNS):
            moment = first(entry.timing, moment) if moment is not None else None
            if moment is None or entry.next_ms is None or to_ms(moment) >= entry.next_ms:
                return None
            if not await self._registry.has_fired(entry, to_ms(moment)):
                return to_ms(moment)
        return None


def _missed(entry: Entry, decision: Decision, now: datetime) -> list[Mark]:
    marks = []
    for moment in decision.passed:
        run = due_run(entry, moment)
        newest = moment == decision.passed[-1]
        told = newest and decision.tell
        event = (telling.missed(run, decision.reason, now),) if told else ()
        over = run.over("missed" if decision.tell else "skipped", decision.reason, now)
        marks.append(Mark(moment, "log", run, over, event))
    return marks


def _due(entry: Entry, run: LiveRun, busy: LiveRun | None, now: datetime) -> Mark:
    come = telling.due(run, now)
    if entry.schedule.kind == "outside":
        watched = entry.schedule.missed_after_minutes is not None
        return Mark(run.nominal, "open" if watched else "none", run, events=(come,))
    if busy is not None:
        why = f"the run of {busy.nominal:%d %b %H:%M} UTC was not over yet"
        missed = telling.missed(run, why, now)
        return Mark(run.nominal, "log", run, run.over("skipped", why, now), (come, missed))
    return Mark(run.nominal, "live", run, events=(come,))
