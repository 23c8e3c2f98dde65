"""Test doubles that behave, shipped and typed: FakeClock, MemoryBus, real servers on free ports."""
