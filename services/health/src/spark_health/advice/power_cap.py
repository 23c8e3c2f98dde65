"""A power supply that was not negotiated well caps a Spark at about thirty watts."""

from spark_common.contracts.hardware import HostHardware
from spark_health.advice.finding import Found
from spark_health.hosts.sight import Sight

_BUSY_PERCENT = 85
_CAPPED_WATTS = 33.0
_SLOW_SHARE = 0.6


class PowerCap:
    """Busy, and neither power nor clock."""

    name = "power_cap"
    heading = "A Spark is capped at thirty watts"

    def find(self, _sight: Sight, shown: HostHardware) -> Found | None:
        """Return it for a busy GPU that draws little at a low clock."""
        gpu = shown.gpu
        if gpu is None or gpu.percent is None or gpu.watts is None:
            return None
        if gpu.percent < _BUSY_PERCENT or gpu.watts > _CAPPED_WATTS:
            return None
        if gpu.sm_mhz is None or not gpu.sm_max_mhz or gpu.sm_mhz > _SLOW_SHARE * gpu.sm_max_mhz:
            # A rank that waits for the other is busy at full clock with little power.
            return None
        return Found(
            "trouble",
            f"The GPU of {shown.label} is {gpu.percent:.0f} % busy at {gpu.watts:.0f} W and "
            f"{gpu.sm_mhz:.0f} MHz: it is capped, most often by its power supply.",
        )
