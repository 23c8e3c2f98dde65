"""Every check over every Spark."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from spark_common.contracts.hardware import Finding, HostHardware
from spark_health.advice.clock_skew import ClockSkew
from spark_health.advice.desktop_running import DesktopRunning
from spark_health.advice.disk_nearly_full import DiskNearlyFull
from spark_health.advice.driver_deadlock import DriverDeadlock
from spark_health.advice.driver_mismatch import DriverMismatch
from spark_health.advice.finding import Check
from spark_health.advice.link_local import LinkLocal
from spark_health.advice.page_cache_full import PageCacheFull
from spark_health.advice.power_cap import PowerCap
from spark_health.advice.shared_blobs import SharedBlobs
from spark_health.hosts.sight import Sight

CHECKS: Final[tuple[Check, ...]] = (
    DriverMismatch(),
    DriverDeadlock(),
    PowerCap(),
    DiskNearlyFull(),
    PageCacheFull(),
    LinkLocal(),
    ClockSkew(),
    DesktopRunning(),
    SharedBlobs(),
)
_ORDER: Final = ("trouble", "warning", "hint")


class Advising:
    """Remembers since when something is found."""

    def __init__(self, checks: Sequence[Check] = CHECKS) -> None:
        self._checks = checks
        self._since: dict[tuple[str, str], datetime] = {}

    @property
    def names(self) -> list[str]:
        """The words of the checks."""
        return [check.name for check in self._checks]

    def findings(self, seen: Sequence[tuple[Sight, HostHardware]], now: datetime) -> list[Finding]:
        """Return what is found, the worst first. ``seen``: what is freshly known of a Spark."""
        found = []
        for check in self._checks:
            for sight, shown in seen:
                key = (check.name, shown.name)
                hit = check.find(sight, shown)
                if hit is None:
                    self._since.pop(key, None)
                    continue
                found.append(
                    Finding(
                        check=check.name,
                        host=shown.name,
                        label=shown.label,
                        severity=hit.severity,
                        sentence=hit.sentence,
                        runbook=f"docs/RUNBOOK.md#{anchor(check.heading)}",
                        since=self._since.setdefault(key, now),
                    )
                )
        return sorted(found, key=lambda one: _ORDER.index(one.severity))


def anchor(heading: str) -> str:
    """Return what a heading of Markdown is linked by."""
    kept = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")
