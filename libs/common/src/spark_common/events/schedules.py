"""Schedules: registered, due, done, missed."""

from datetime import datetime
from typing import ClassVar

from spark_common.contracts.schedules import Kind, RunState
from spark_common.events.message import Event


class ScheduleEvent(Event):
    """Something that happened to a schedule."""

    schedule_id: str
    name: str
    kind: Kind
    owner: str
    model: str | None = None
    at: datetime


class ScheduleRegistered(ScheduleEvent):
    """It was registered or replaced."""

    type: ClassVar[str] = "schedule.registered"

    next_at: datetime | None = None
    replaced: bool = False


class ScheduleRemoved(ScheduleEvent):
    """It was removed."""

    type: ClassVar[str] = "schedule.removed"

    requested_by: str


class ScheduleDue(ScheduleEvent):
    """The time of a run has come."""

    type: ClassVar[str] = "schedule.due"

    run_id: str
    nominal: datetime


class ScheduleFinished(ScheduleEvent):
    """A run that was carried out is over. Duration in seconds."""

    type: ClassVar[str] = "schedule.finished"

    run_id: str
    nominal: datetime
    outcome: RunState
    message: str = ""
    swap_id: str | None = None
    total_seconds: float


class ScheduleMissed(ScheduleEvent):
    """A run did not happen: nobody could start it, or the registered job never asked."""

    type: ClassVar[str] = "schedule.missed"

    run_id: str
    nominal: datetime
    reason: str
