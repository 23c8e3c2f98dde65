"""Clocks that differ make logs, leases and certificates lie."""

from spark_common.contracts.hardware import HostHardware
from spark_health.advice.finding import Found
from spark_health.hosts.sight import Sight


class ClockSkew:
    """Beside the clock of this machine."""

    name = "clock_skew"
    heading = "The clocks differ"

    def find(self, _sight: Sight, shown: HostHardware) -> Found | None:
        """Return it where the difference cannot be the way there and back."""
        skew = shown.clock_skew_seconds
        if skew is None:
            return None
        way = "ahead of" if skew > 0 else "behind"
        return Found(
            "warning",
            f"The clock of {shown.label} is {abs(skew):.0f} s {way} the one here: let both follow "
            "a time server.",
        )
