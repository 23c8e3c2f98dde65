"""The verbs of schedules."""

import asyncio
from collections.abc import Sequence

from spark_common.bus.port import Serving
from spark_common.clock import Clock
from spark_common.contracts.leases import GetLease
from spark_common.contracts.schedules import (
    CHECK_IN,
    GET_CALENDAR,
    GET_SCHEDULE,
    LIST_SCHEDULES,
    PUT_SCHEDULE,
    REMOVE_SCHEDULE,
    Calendar,
    CheckIn,
    GetCalendar,
    GetSchedule,
    ListSchedules,
    PutSchedule,
    RemoveSchedule,
    Schedules,
    ScheduleView,
)
from spark_common.errors import ConflictError, UnavailableError
from spark_coordinator.outbox import Outbox
from spark_coordinator.schedules.calendar import calendar, checked_span
from spark_coordinator.schedules.conflicts import StandingLease
from spark_coordinator.schedules.dead_man import DeadMan
from spark_coordinator.schedules.ports import TakesLease
from spark_coordinator.schedules.record import Entry
from spark_coordinator.schedules.registry import Registry
from spark_coordinator.schedules.run_store import RunStore
from spark_coordinator.schedules.views import conflicts_ahead, listed, view


class ScheduleVerbs:
    """Answers from any replica. Every verb raises UnavailableError while Redis is away."""

    def __init__(
        self,
        *,
        registry: Registry,
        runs: RunStore,
        dead_man: DeadMan,
        lease: TakesLease,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._runs = runs
        self._dead_man = dead_man
        self._lease = lease
        self._outbox = outbox
        self._clock = clock

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(PUT_SCHEDULE, self.put),
            Serving(REMOVE_SCHEDULE, self.remove),
            Serving(CHECK_IN, self.check_in),
            Serving(GET_SCHEDULE, self.get),
            Serving(LIST_SCHEDULES, self.list, limit=4),
            Serving(GET_CALENDAR, self.calendar, limit=4),
        )

    async def put(self, request: PutSchedule) -> ScheduleView:
        """Register or replace; raises InvalidRequestError, ConflictError."""
        entry = await self._registry.put(request)
        self._outbox.wake()
        return await self._view(entry)

    async def remove(self, request: RemoveSchedule) -> ScheduleView:
        """Forget a schedule and return what it was; raises NotFoundError."""
        runs = (await self._runs.logs([request.id]))[request.id]
        entry = await self._registry.remove(request.id, request.requested_by)
        self._outbox.wake()
        return view(entry, runs, [], []).model_copy(update={"next_at": None})

    async def check_in(self, request: CheckIn) -> ScheduleView:
        """Note that an outside job runs now; raises NotFoundError, ConflictError."""
        entry = await self._registry.require(request.id)
        if entry.schedule.kind != "outside":
            raise ConflictError(
                f"{request.id!r} is carried out by the coordinator itself; "
                "only outside jobs check in"
            )
        await self._dead_man.asked("checked in", self._clock.now(), schedule_id=request.id)
        return await self._view(await self._registry.require(request.id))

    async def get(self, request: GetSchedule) -> ScheduleView:
        """Return one schedule with its latest runs; raises NotFoundError."""
        return await self._view(await self._registry.require(request.id))

    async def list(self, _request: ListSchedules) -> Schedules:
        """Return all schedules by their next run."""
        entries = await self._registry.all()
        latest = await self._runs.logs([entry.id for entry in entries], 1)
        live, lease = await self._runs.live(), await self._standing()
        # Hundreds of schedules over a week take a moment that no other caller should wait for.
        return await asyncio.to_thread(listed, entries, latest, live, self._clock.now(), lease)

    async def calendar(self, request: GetCalendar) -> Calendar:
        """Return every run between two moments; raises InvalidRequestError."""
        start, end = checked_span(request)
        entries, now = await self._registry.all(), self._clock.now()
        ids = [entry.id for entry in entries] if start < now else []
        logs, live = await self._runs.logs(ids), await self._runs.live()
        lease = await self._standing()
        return await asyncio.to_thread(calendar, start, end, now, entries, logs, live, lease)

    async def _view(self, entry: Entry) -> ScheduleView:
        entries, lease = await self._registry.all(), await self._standing()
        runs = (await self._runs.logs([entry.id]))[entry.id]
        live = await self._runs.live()
        ahead = await asyncio.to_thread(
            conflicts_ahead, entries, self._clock.now(), lease, only=entry.id
        )
        return view(entry, runs, live, ahead.get(entry.id, ()))

    async def _standing(self) -> StandingLease | None:
        """Return who has the lease; what cannot be asked is not shown."""
        try:
            lease = await self._lease.get(GetLease())
        except UnavailableError:
            return None
        if lease.state not in ("held", "granted") or lease.holder is None:
            return None
        until = lease.expires_at
        return None if until is None else StandingLease(lease.holder, until)
