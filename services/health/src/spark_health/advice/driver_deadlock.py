"""A driver with a known deadlock."""

from spark_common.contracts.hardware import HostHardware
from spark_health.advice.finding import Found
from spark_health.hosts.sight import Sight

_BAD = ("590.",)
"""CUDA graphs hang with all of 590."""


class DriverDeadlock:
    """By the version that the driver says."""

    name = "driver_deadlock"
    heading = "The driver has a known deadlock"

    def find(self, _sight: Sight, shown: HostHardware) -> Found | None:
        """Return it for the versions that hang."""
        driver = shown.gpu.driver if shown.gpu else None
        if driver is None or not driver.startswith(_BAD):
            return None
        return Found(
            "trouble",
            f"{shown.label} has driver {driver}, which hangs with CUDA graphs: go back to 580.",
        )
