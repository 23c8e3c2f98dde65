"""What is kept of a schedule and of its runs."""

import hashlib
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from spark_common.contracts.schedules import Kind, Misfire, PutSchedule, Run, RunState
from spark_coordinator.schedules.moments import from_ms, stamp
from spark_coordinator.schedules.times import Timing, timing_of

AT_ONCE = timedelta(minutes=1)
"""How late a run may begin that is not made up for."""
_LONGEST_PREFIX = 44


class Entry(BaseModel):
    """A registered schedule."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = 1
    schedule: PutSchedule
    created_at: datetime
    revision: int = 1
    next_ms: int | None = None
    """Its next nominal time; None when none comes or it is switched off."""
    asked_ms: int | None = None
    """When its outside job last asked for something, unless a run was credited with it."""

    @property
    def id(self) -> str:
        """Id of the schedule."""
        return self.schedule.id

    @property
    def name(self) -> str:
        """What people call it."""
        return self.schedule.name or self.schedule.id

    @property
    def timing(self) -> Timing:
        """When it comes due."""
        return timing_of(self.schedule, self.created_at)

    @property
    def next_at(self) -> datetime | None:
        """Its next nominal time."""
        return None if self.next_ms is None else from_ms(self.next_ms)


class LiveRun(BaseModel):
    """A run that is not over. Saved before every effect, so that anybody can carry it on."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = 1
    id: str
    schedule_id: str
    name: str
    kind: Kind
    owner: str
    model: str | None = None
    collection: str | None = None
    keep: int | None = None
    timezone: str = "UTC"
    duration_minutes: float | None = None
    nominal: datetime
    until: datetime
    """Executed: when it has to have begun. Outside: the end of the dead-man window."""
    stage: Literal["due", "acting", "following"] = "due"
    """``acting``: it has the lease and asks for its effect; ``following``: that was accepted."""
    started_at: datetime | None = None
    swap_model: str | None = None
    """What the swap of this run asks for; the same at every repetition."""
    waits_for: str | None = None
    """Who holds the lease this run waits for."""
    n: int = 0
    """Number of the latest save."""

    def over(self, state: RunState, message: str, at: datetime, snapshot: str | None = None) -> Run:
        """Return the run as it is kept once it is over."""
        swapped = self.swap_model is not None
        return Run(
            id=self.id,
            nominal=self.nominal,
            state=state,
            started_at=self.started_at,
            finished_at=at,
            message=message,
            swap_id=self.id if swapped else None,
            snapshot=snapshot,
        )

    def view(self) -> Run:
        """Return the run as everybody sees it while it is not over."""
        return Run(
            id=self.id,
            nominal=self.nominal,
            state="running",
            started_at=self.started_at,
            message=self._message(),
            swap_id=self.id if self.swap_model is not None else None,
        )

    def _message(self) -> str:
        if self.kind == "outside":
            return "It is due and has not asked for anything yet."
        if self.stage != "due":
            return "It is running."
        return f"It waits for {self.waits_for!r}, who holds the cluster." if self.waits_for else ""


def run_id(schedule_id: str, nominal: datetime) -> str:
    """Return the one id of a run, the same on every coordinator; it is its swap's id too."""
    prefix = schedule_id
    if len(prefix) > _LONGEST_PREFIX:
        digest = hashlib.sha256(schedule_id.encode()).hexdigest()[:16]
        prefix = f"{schedule_id[: _LONGEST_PREFIX - 17]}-{digest}"
    return f"{prefix}-{stamp(nominal)}"


def due_run(entry: Entry, nominal: datetime) -> LiveRun:
    """Return a run of a schedule whose time has come."""
    schedule = entry.schedule
    return LiveRun(
        id=run_id(entry.id, nominal),
        schedule_id=entry.id,
        name=entry.name,
        kind=schedule.kind,
        owner=schedule.owner,
        model=schedule.model,
        collection=schedule.collection,
        keep=schedule.keep,
        timezone=schedule.timezone,
        duration_minutes=schedule.duration_minutes,
        nominal=nominal,
        until=nominal + window_of(schedule),
    )


def window_of(schedule: PutSchedule) -> timedelta:
    """Return how long after its nominal time a run may begin, or an outside job may ask."""
    if schedule.kind == "outside":
        return timedelta(minutes=schedule.missed_after_minutes or 0)
    return late_allowed(schedule.misfire)


def late_allowed(misfire: Misfire) -> timedelta:
    """Return how late a run may begin under a policy."""
    if misfire.policy == "skip":
        return AT_ONCE
    return max(AT_ONCE, timedelta(minutes=misfire.within_minutes))
