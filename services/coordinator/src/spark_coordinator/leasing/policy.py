"""What the owner may decide about the lease and its line."""

from typing import Annotated

from pydantic import Field

from spark_common.settings import Settings

_Drain = Annotated[float, Field(ge=0, le=24 * 3600, allow_inf_nan=False)]
_Window = Annotated[float, Field(ge=5, le=3600, allow_inf_nan=False)]


class LeasePolicy(Settings):
    """How a lease ends and how the line moves. Read at each use."""

    lease_drain_seconds: _Drain = 60.0
    """After the end of a lease, answers that are being written may go on for this long before
    the next holder is let in. 0 lets the next one in at once."""
    lease_swap_drain_seconds: _Drain = 1800.0
    """A swap that was begun under the lease may go on for this long after its end before the
    next holder is let in."""
    lease_take_up_seconds: _Window = 60.0
    """The next in line has to take the lease up within this time, or it passes on."""
    lease_seen_within_seconds: _Window = 60.0
    """Whoever waits in line has to ask at least this often, or loses the place."""
    lease_ageing_minutes: Annotated[float, Field(gt=0, le=7 * 24 * 60, allow_inf_nan=False)] = 30.0
    """Every time somebody has waited this long, they count as one class more urgent."""

    def terms(self) -> dict[str, int]:
        """Return what the scripts need, in milliseconds."""
        answers = _ms(self.lease_drain_seconds)
        return {
            "answers_ms": answers,
            "drain_ms": max(answers, _ms(self.lease_swap_drain_seconds)),
            "take_up_ms": _ms(self.lease_take_up_seconds),
            "seen_ms": _ms(self.lease_seen_within_seconds),
            "ageing_ms": max(1, _ms(60 * self.lease_ageing_minutes)),
        }


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
