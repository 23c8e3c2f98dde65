"""Behaving fakes of what watching needs."""

from spark_health.watching.testing.memory import (
    MemoryMaintenance,
    MemoryStandings,
    MemoryUptime,
    Silence,
)
from spark_health.watching.testing.probes import FakeProbe

__all__ = ["FakeProbe", "MemoryMaintenance", "MemoryStandings", "MemoryUptime", "Silence"]
