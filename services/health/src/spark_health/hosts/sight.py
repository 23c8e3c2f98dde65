"""What is known of one Spark as a machine: its last answer, how old that is, how it answers now."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from spark_common.contracts.hardware import Answering
from spark_common.settings import HostSettings
from spark_health.hosts.reading import Moving, Reading, Rest

FRESH_SECONDS = 30.0
"""Numbers that are older are of the past."""
SKEW_SECONDS = 5.0
"""A clock that is off by less is not told: waking up and the way there take time too."""


@dataclass(frozen=True)
class Sight:
    """One Spark. Times ending in ``_mono`` are those of ``Clock.monotonic``."""

    host: HostSettings
    answering: Answering = "unknown"
    reason: str = "Nobody has looked yet."
    looked_mono: float | None = None
    moving: Moving = field(default_factory=Moving)
    rest: Rest = field(default_factory=Rest)
    rest_mono: float | None = None
    read_at: datetime | None = None
    read_mono: float | None = None
    ms: float | None = None
    skew: float | None = None
    unread: tuple[str, ...] = ()

    def fresh(self, now_mono: float) -> bool:
        """Whether the numbers are those of now."""
        return self.read_mono is not None and now_mono - self.read_mono <= FRESH_SECONDS

    def failed(self, answering: Answering, reason: str, mono: float) -> "Sight":
        """Return it after a look that brought no numbers; the old ones stay, with their age."""
        return replace(self, answering=answering, reason=reason, looked_mono=mono)

    def after(
        self,
        reading: Reading,
        began: tuple[datetime, float],
        ended_mono: float,
        slow_seconds: float,
    ) -> "Sight":
        """Return it after an answer. ``began``: when it was asked, by both clocks."""
        took = ended_mono - began[1]
        label = self.host.label
        answering: Answering = "well"
        reason = ""
        if reading.silent:
            answering = "partly"
            reason = f"{label} answers, and {' and '.join(reading.silent)} on it hangs."
        elif not reading.complete:
            answering = "partly"
            reason = f"The answer of {label} was cut off."
        elif reading.hurried or took >= slow_seconds:
            answering = "slow"
            reason = f"{label} took {took:.1f} s to say how it is: it is very busy."
        rest, rest_mono = self.rest, self.rest_mono
        if reading.rest is not None:
            rest, rest_mono = reading.rest.over(self.rest), ended_mono
        return replace(
            self,
            answering=answering,
            reason=reason,
            looked_mono=ended_mono,
            moving=reading.moving,
            rest=rest,
            rest_mono=rest_mono,
            read_at=began[0],
            read_mono=began[1],
            ms=round(took * 1000, 1),
            skew=skew_of(reading.moving.epoch, began[0], took),
            unread=reading.unread,
        )


def skew_of(epoch: int | None, asked_at: datetime, took: float) -> float | None:
    """Return how far a clock is ahead, None when it may be right.

    It was read at some moment between the question and the answer, in whole seconds.
    """
    if epoch is None:
        return None
    ahead = epoch - asked_at.timestamp()
    if ahead > took:
        off = ahead - took
    elif ahead < -1:
        off = ahead + 1
    else:
        return None
    return round(off, 1) if abs(off) >= SKEW_SECONDS else None
