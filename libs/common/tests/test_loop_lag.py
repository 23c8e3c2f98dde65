"""A blocked event loop is measured and told."""

import asyncio

from structlog.testing import capture_logs

from spark_common.service.lag import watch_loop_lag
from spark_common.service.metrics import REGISTRY
from spark_common.testing import FakeClock


def measured() -> float:
    return REGISTRY.get_sample_value("spark_loop_lag_seconds_count") or 0


async def test_a_wake_up_in_time_is_counted_in_silence() -> None:
    clock, before = FakeClock(), measured()
    with capture_logs() as logs:
        watching = asyncio.create_task(watch_loop_lag(clock))
        for _ in range(4):
            await clock.advance(0.25)
        watching.cancel()
        await asyncio.wait({watching})
    assert measured() == before + 4
    assert logs == []


async def test_a_late_wake_up_is_a_warning_with_its_length() -> None:
    class Blocked(FakeClock):
        """Every wait takes half a second longer than asked."""

        def __init__(self) -> None:
            super().__init__()
            self.late = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.late

    clock = Blocked()
    with capture_logs() as logs:
        watching = asyncio.create_task(watch_loop_lag(clock))
        await clock.advance(0)
        clock.late = 0.5
        await clock.advance(0.25)
        watching.cancel()
        await asyncio.wait({watching})
    assert [(line["event"], line["lag_seconds"]) for line in logs] == [
        ("service.loop_blocked", 0.5)
    ]
