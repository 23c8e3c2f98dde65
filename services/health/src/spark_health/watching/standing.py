"""How a target stands: what is settled, what was seen last, what speaks against it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from spark_common.contracts.health import Level, Shown

CHANGES_WITHIN = timedelta(minutes=30)
FLAPPING_CHANGES = 4
"""Transitions within that time that make a target one that flaps."""


@dataclass(frozen=True)
class Moment:
    """One moment on both clocks: the wall's for records, the steady one for ages."""

    now: datetime
    steady: float


class Standing(BaseModel):
    """What is known of one target. Kept in Redis, apart from what the steady clock says."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    level: Level = "unknown"
    since: datetime | None = None
    n: int = 0
    """Number of transitions so far: whoever writes compares it."""
    watched_since: datetime | None = None
    """The first time that anything was certain."""
    changed: tuple[datetime, ...] = ()
    """The latest transitions, at most thirty."""
    reason: str = ""

    last: Shown | None = None
    """What the last good look found."""
    seen_at: datetime | None = None
    facts: Mapping[str, JsonValue] = {}

    looked_at: datetime | None = None
    misses: int = 0
    """Looks in a row that failed on solid ground."""
    missed_at: datetime | None = None
    """The first of them."""
    poor: int = 0
    """Looks in a row that found it degraded."""
    poor_at: datetime | None = None
    recent: str = ""
    """The latest looks since the latest transition: ``x`` for one that was not well."""
    unsteady: bool = False
    """It is degraded because it comes and goes, and until it is steady again."""
    follows: bool = False
    """The last look failed while its host was down: that says nothing about itself."""

    seen_steady: float | None = Field(default=None, exclude=True)
    """The last good look on the steady clock of this process."""
    told_steady: float = Field(default=0.0, exclude=True)
    """The last look that could tell anything, good or bad, or when this process began."""
    missed_steady: float | None = Field(default=None, exclude=True)
    looked_steady: float | None = Field(default=None, exclude=True)

    def age(self, moment: Moment) -> float | None:
        """Return the seconds since the last good look; None when there was none."""
        if self.seen_at is None:
            return None
        if self.seen_steady is not None:
            return max(0.0, moment.steady - self.seen_steady)
        return max(0.0, (moment.now - self.seen_at).total_seconds())

    def changes(self, now: datetime) -> int:
        """Return the number of transitions within the last half hour."""
        return sum(1 for at in self.changed if now - CHANGES_WITHIN <= at <= now)

    def awake(self, moment: Moment) -> "Standing":
        """Return it as a new process takes it over: ages go on from what the record says."""
        seen = None
        if self.seen_at is not None:
            seen = moment.steady - max(0.0, (moment.now - self.seen_at).total_seconds())
        return self.model_copy(
            update={
                "seen_steady": seen,
                "told_steady": moment.steady,
                "missed_steady": moment.steady if self.misses else None,
                "looked_steady": None,
            }
        )
