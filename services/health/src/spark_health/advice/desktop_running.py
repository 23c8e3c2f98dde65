"""A desktop takes memory that large models need."""

from spark_common.contracts.hardware import HostHardware
from spark_health.advice.finding import Found
from spark_health.hosts.sight import Sight


class DesktopRunning:
    """A graphical session is up."""

    name = "desktop_running"
    heading = "A desktop runs on a Spark"

    def find(self, sight: Sight, shown: HostHardware) -> Found | None:
        """Return it when a display server or a desktop runs."""
        if not sight.rest.desktop:
            return None
        names = " and ".join(sight.rest.desktop)
        return Found(
            "hint",
            f"{names} runs on {shown.label}: large models need that memory, start it without a "
            "desktop.",
        )
