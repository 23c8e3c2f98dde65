"""A disk that is nearly full breaks downloads, logs and compile caches."""

from spark_common.contracts.hardware import HostHardware
from spark_health.advice.finding import Found
from spark_health.hosts.sight import Sight

_GB = 1_000_000_000
_LITTLE, _HARDLY = 50 * _GB, 5 * _GB
_SHARE = 0.05


class DiskNearlyFull:
    """By what is left for users."""

    name = "disk_nearly_full"
    heading = "The disk is nearly full"

    def find(self, _sight: Sight, shown: HostHardware) -> Found | None:
        """Return it below fifty gigabytes or a twentieth, whichever is less."""
        disk = shown.disk
        if disk is None or disk.available >= min(_LITTLE, _SHARE * disk.total):
            return None
        return Found(
            "trouble" if disk.available < _HARDLY else "warning",
            f"{shown.label} has {disk.available / _GB:.1f} GB of disk left: delete a model that "
            "nobody uses.",
        )
