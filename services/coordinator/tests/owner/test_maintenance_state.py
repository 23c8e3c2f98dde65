"""Announced maintenance goes out with the state and comes back under the same ids."""

from datetime import timedelta

import pytest

from spark_common.bus.port import Serving
from spark_common.contracts.health import (
    BEGIN_MAINTENANCE,
    LIST_MAINTENANCE,
    BeginMaintenance,
    ListMaintenance,
    Maintenance,
    MaintenanceWindows,
)
from spark_common.errors import NotFoundError, ServiceUnavailableError
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_coordinator.owner.state.maintenance import MaintenanceState


class Health:
    """Windows by id."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.windows: dict[str, Maintenance] = {}

    async def serve(self, broker: MemoryBroker) -> None:
        verbs = [Serving(LIST_MAINTENANCE, self.list), Serving(BEGIN_MAINTENANCE, self.begin)]
        await MemoryBus("health", broker).serve("health", "1", "windows", verbs)

    async def list(self, _: ListMaintenance) -> MaintenanceWindows:
        return MaintenanceWindows(windows=list(self.windows.values()))

    async def begin(self, order: BeginMaintenance) -> Maintenance:
        if order.target == "gone":
            raise NotFoundError("nothing named 'gone' is watched")
        assert order.id is not None
        starts = order.starts_at or self.clock.now()
        self.windows[order.id] = Maintenance(
            id=order.id, target=order.target, starts_at=starts,
            ends_at=starts + timedelta(minutes=order.minutes), reason=order.reason,
            requested_by=order.requested_by,
        )  # fmt: skip
        return self.windows[order.id]


async def test_windows_come_back_as_they_were_twice_is_once_and_what_is_over_is_left_out():
    clock = FakeClock()
    broker = MemoryBroker(clock=clock)
    section = MaintenanceState(MemoryBus("coordinator", broker), clock)
    with pytest.raises(ServiceUnavailableError):
        await section.export()
    health, now = Health(clock), clock.now()
    await health.serve(broker)
    for name, target, begins, ends in (
        ("over", "spark1", -120, 1), ("runs", "spark2", -30, 90), ("comes", "all", 60, 120),
        ("nobody", "gone", 0, 60),
    ):  # fmt: skip
        health.windows[name] = Maintenance(
            id=name, target=target, starts_at=now + timedelta(minutes=begins),
            ends_at=now + timedelta(minutes=ends), reason="a new disk", requested_by="Alice",
        )  # fmt: skip
    entries = (await section.export()).entries
    before = dict(health.windows)
    health.windows.clear()
    await clock.advance(300)
    junk = [{}, {"id": "x"}, {**entries[1], "id": "../x"}]
    for _ in range(2):
        taken = await section.take_in([*entries, *junk], {}, "Bob")
        assert (taken.entries, len(taken.warnings)) == (2, 4)
    assert set(health.windows) == {"runs", "comes"}
    for name in ("runs", "comes"):
        back = health.windows[name]
        assert (back.target, back.ends_at) == (before[name].target, before[name].ends_at)
        assert (back.reason, back.requested_by) == ("a new disk", "Alice")
    assert health.windows["comes"].starts_at == before["comes"].starts_at
