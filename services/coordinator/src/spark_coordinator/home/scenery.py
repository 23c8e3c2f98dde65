"""What the decision about the home model needs to see, gathered from everybody who knows."""

import asyncio
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from pydantic import ValidationError

from spark_common.bus.port import Bus, StoredMessage
from spark_common.clock import Clock
from spark_common.contracts.leases import HOLDER_FOR_RESTARTS
from spark_common.contracts.models import LIST_MODELS, ListModels, Menu
from spark_common.contracts.schedules import GET_CALENDAR, GetCalendar
from spark_common.errors import SparkError, UnavailableError
from spark_common.events import LockFreed
from spark_common.subjects import lock_event
from spark_coordinator.home.decision import Scene
from spark_coordinator.sight import ClusterSight, Sight

LONGEST_GAP_SECONDS: Final = 60.0
"""Two looks that are further apart say nothing about what was between them."""
_ASK_SECONDS = 3.0
_MOST_LOOKED_AT = 200
"""Events of the lease, from the newest back."""
_AHEAD = timedelta(hours=12)
"""How far the calendar is read; no load takes longer."""

_log = structlog.get_logger()


class Upcoming(Protocol):
    """Whoever knows what is scheduled."""

    async def due_seconds(self) -> float | None:
        """Return the time until the cluster is wanted next; None: not soon, or nobody knows."""
        ...


class Calendar:
    """The calendar of the schedules, asked over the bus; without one nothing is due."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock

    async def due_seconds(self) -> float | None:
        """Return the time until the cluster is wanted next."""
        now = self._clock.now()
        question = GetCalendar(start=now, end=now + _AHEAD)
        try:
            found = await self._bus.call(GET_CALENDAR, question, timeout_seconds=_ASK_SECONDS)
        except SparkError as error:
            _log.debug("home.no_calendar", reason=error.code)
            return None
        # These need no model; everything else wants one of its own.
        runs = [
            e.at
            for e in found.entries
            if e.state == "planned" and e.kind not in ("sweep", "snapshot")
        ]
        ahead = [(at - now).total_seconds() for at in runs if at >= now]
        return min(ahead, default=None)


class Scenery:
    """Remembers since when nobody did anything."""

    def __init__(self, bus: Bus, upcoming: Upcoming, clock: Clock) -> None:
        self._bus = bus
        self._sight = ClusterSight(bus, clock)
        self._upcoming = upcoming
        self._clock = clock
        self._last: Sight | None = None
        self._quiet_since: float | None = None

    def forget(self) -> None:
        """Nobody looks any more: what comes later begins anew."""
        self._last = None
        self._quiet_since = None

    async def look(self) -> Scene:
        """Gather everything; what nobody answers about is None."""
        sight, menu, ended, due = await asyncio.gather(
            self._sight.look(), self._menu(), self._lease_ended_at(), self._upcoming.due_seconds()
        )
        return Scene(self._clock.now(), sight, menu, self._quiet_seconds(sight), ended, due)

    def _quiet_seconds(self, sight: Sight) -> float:
        before, self._last = self._last, sight
        lease, swaps = sight.lease, sight.swaps
        free = lease is not None and lease.state == "free" and not lease.queue
        if not (free and sight.quiet and swaps is not None and not swaps.queue):
            self._quiet_since = None
            return 0.0
        gap = sight.at - before.at if before is not None else 0.0
        unbroken = before is not None and gap <= LONGEST_GAP_SECONDS and sight.nothing_since(before)
        if self._quiet_since is None or not unbroken:
            self._quiet_since = sight.at
        return sight.at - self._quiet_since

    async def _menu(self) -> Menu | None:
        try:
            return await self._bus.call(LIST_MODELS, ListModels(), timeout_seconds=_ASK_SECONDS)
        except SparkError as error:
            _log.debug("home.no_menu", reason=error.code)
            return None

    async def _lease_ended_at(self) -> datetime | None:
        """Every lease ends with one event, whatever ended it; a restart by health is no work."""
        try:
            message = await self._bus.last_message("SC_LEASE_EVT", lock_event("freed"))
            for _ in range(_MOST_LOOKED_AT):
                if message is None:
                    return None
                event = _freed(message)
                if event is not None and event.holder != HOLDER_FOR_RESTARTS:
                    return event.at
                message = await self._bus.message_at("SC_LEASE_EVT", message.seq - 1)
        except UnavailableError as error:
            _log.debug("home.no_lease_event", reason=error.message)
        return None


def _freed(message: StoredMessage) -> LockFreed | None:
    """Return the end of a lease; None for anything else that happened to one."""
    if message.subject != lock_event("freed") or message.envelope is None:
        return None
    try:
        return LockFreed.model_validate(message.envelope.data)
    except ValidationError:
        return None
