"""Test doubles that behave, shipped and typed: FakeClock, MemoryBus, real servers on free ports."""

from spark_common.testing.broker import MemoryBroker
from spark_common.testing.bus import MemoryBus
from spark_common.testing.clock import FakeClock, settle

__all__ = ["FakeClock", "MemoryBroker", "MemoryBus", "settle"]
