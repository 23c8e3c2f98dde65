"""Schedules: what outside schedulers say they will run, and what the coordinator runs itself."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints

from spark_common.contracts.collections import CollectionName
from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import SwapId, Text

Kind: TypeAlias = Literal["outside", "swap", "warm", "restart", "sweep", "snapshot"]
"""``outside``: somebody else's job, only shown; the others the coordinator carries out itself."""
RunState: TypeAlias = Literal["running", "done", "failed", "missed", "skipped"]
Cron = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Zone = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
ScheduleId = SwapId


class Misfire(Request):
    """What to do with a run whose time passed while nobody could start it."""

    policy: Literal["skip", "run_once"] = "skip"
    within_minutes: float = Field(default=60.0, gt=0, le=24 * 60, allow_inf_nan=False)
    """``run_once``: the latest missed run is made up for, if it is not older than this."""


class PutSchedule(Request):
    """Register a schedule or replace the one with this id; exactly one of the three times."""

    id: ScheduleId
    name: Text | None = None
    kind: Kind = "outside"
    cron: Cron | None = None
    every_seconds: float | None = Field(default=None, ge=60, le=366 * 86400, allow_inf_nan=False)
    """Counted from ``starts_at``, or from the registration."""
    at: datetime | None = None
    """Once; without an offset it is a time in ``timezone``."""
    timezone: Zone = "UTC"
    """A name of the IANA database; decides what a cron expression means."""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    duration_minutes: float | None = Field(default=None, gt=0, le=7 * 24 * 60, allow_inf_nan=False)
    """How long a run usually takes; for the calendar and the conflicts."""
    model: Text | None = None
    """Key of the model it needs; required by ``swap``, the one to warm by ``warm``."""
    service: Text | None = None
    """What ``restart`` restarts: ``vllm`` (the loaded model) or a service by its name."""
    collection: CollectionName | None = None
    """What ``snapshot`` writes to a file."""
    keep: int | None = Field(default=None, ge=1, le=50)
    """``snapshot``: so many of those that its own runs took stay; without a number all do. What
    its runs took is known of the latest hundred."""
    owner: Text = "someone"
    note: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)] = ""
    enabled: bool = True
    misfire: Misfire = Misfire()
    missed_after_minutes: float | None = Field(
        default=None, gt=0, le=7 * 24 * 60, allow_inf_nan=False
    )
    """``outside``: the dead-man window. A run that asked for nothing by then is missed."""


class RemoveSchedule(Request):
    """Forget a schedule."""

    id: ScheduleId
    requested_by: Text = "someone"


class CheckIn(Request):
    """An outside job says that it runs now; asking for the lease with its id says the same."""

    id: ScheduleId


class GetSchedule(Request):
    """Ask for one schedule with its latest runs."""

    id: ScheduleId


class ListSchedules(Request):
    """Ask for all schedules."""


class GetCalendar(Request):
    """Ask for every run between two moments, at most 62 days apart."""

    start: datetime
    end: datetime


class Run(Reply):
    """One run of a schedule, identified by its nominal time."""

    id: str
    """From the schedule's id and the nominal time: the same on every coordinator."""
    nominal: datetime
    state: RunState
    started_at: datetime | None = None
    finished_at: datetime | None = None
    message: str = ""
    """What came of it, in one plain sentence."""
    swap_id: str | None = None
    snapshot: str | None = None
    """Name of the snapshot that it took."""


class Conflict(Reply):
    """Two things that want the cluster at the same time."""

    at: datetime
    until: datetime
    other: Literal["lease", "schedule"]
    other_id: str | None = None
    """Id of the other schedule."""
    sentence: str


class ScheduleView(Reply):
    """A schedule as everybody sees it."""

    schedule: PutSchedule
    next_at: datetime | None = None
    last: Run | None = None
    runs: list[Run] = []
    """The latest ones, newest first; only when one schedule is asked for."""
    conflicts: list[Conflict] = []
    """Of the next seven days, earliest first, at most twenty."""
    created_at: datetime
    revision: int = 1


class Schedules(Reply):
    """All schedules, by their next run."""

    schedules: list[ScheduleView] = []


class CalendarEntry(Reply):
    """One run on the calendar: past, present or to come."""

    schedule_id: str
    name: str
    kind: Kind
    at: datetime
    until: datetime
    """From the expected duration, or from what really happened."""
    model: str | None = None
    owner: str
    state: Literal["planned", "running", "done", "failed", "missed", "skipped"] = "planned"
    conflicts: list[Conflict] = []


class Calendar(Reply):
    """Everything between two moments, in order; ``cut`` when there was more than is told."""

    start: datetime
    end: datetime
    entries: list[CalendarEntry] = []
    lease_until: datetime | None = None
    lease_holder: str | None = None
    cut: bool = False


PUT_SCHEDULE = Rpc("rpc.coordinator.schedule.put", PutSchedule, ScheduleView)
REMOVE_SCHEDULE = Rpc("rpc.coordinator.schedule.remove", RemoveSchedule, ScheduleView)
CHECK_IN = Rpc("rpc.coordinator.schedule.check_in", CheckIn, ScheduleView)
GET_SCHEDULE = Rpc("rpc.coordinator.schedule.get", GetSchedule, ScheduleView)
LIST_SCHEDULES = Rpc("rpc.coordinator.schedule.list", ListSchedules, Schedules)
GET_CALENDAR = Rpc("rpc.coordinator.schedule.calendar", GetCalendar, Calendar)
