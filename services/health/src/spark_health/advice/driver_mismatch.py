"""The driver was updated under a running kernel."""

from spark_common.contracts.hardware import HostHardware
from spark_health.advice.finding import Found
from spark_health.hosts.sight import Sight


class DriverMismatch:
    """Nothing new starts on the GPU until the next start."""

    name = "driver_mismatch"
    heading = "Driver and library are of different versions"

    def find(self, _sight: Sight, shown: HostHardware) -> Found | None:
        """Return it when nvidia-smi says so."""
        if not shown.driver_mismatch:
            return None
        return Found(
            "trouble",
            f"The driver of {shown.label} was updated while it ran: start the Spark anew, until "
            "then no model starts there.",
        )
