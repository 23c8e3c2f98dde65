"""What a check is, and what it finds."""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from spark_common.contracts.hardware import HostHardware
from spark_health.hosts.sight import Sight

Severity: TypeAlias = Literal["hint", "warning", "trouble"]


@dataclass(frozen=True)
class Found:
    """One sentence, and the heading of ``docs/RUNBOOK.md`` that says what to do."""

    severity: Severity
    sentence: str


class Check(Protocol):
    """Looks for one thing on one Spark, in what was just read of it."""

    @property
    def name(self) -> str:
        """Its word: ``page_cache_full``."""
        ...

    @property
    def heading(self) -> str:
        """The heading of the runbook."""
        ...

    def find(self, sight: Sight, shown: HostHardware) -> Found | None:
        """Return what is wrong; None when it is not, or when what it needs was not read."""
        ...
