"""When a load has to be ended, and when a silent host had hardly anything left."""

import pytest

from spark_swapper.guarding.headroom import GIB
from spark_swapper.guarding.memory_trend import LEAST_FLOOR, MemoryTrend

FLOOR = 4e9


def trend(*samples: float, needed: float | None = 84.0, floor: float = FLOOR) -> MemoryTrend:
    """Return what was seen, one sample a second, in GiB."""
    found = MemoryTrend(floor, None if needed is None else int(needed * GIB))
    for at, available in enumerate(samples):
        found.see(float(at), int(available * GIB))
    return found


@pytest.mark.parametrize(
    ("samples", "needed", "ends"),
    [
        ((), 84.0, False),
        ((110.0,), 84.0, False),
        ((110.0, 60.0, 27.0), 84.0, False),
        # A plan that leaves little is kept to.
        ((110.0, 40.0, 2.5), 107.7, False),
        ((110.0, 40.0, 0.9), 107.7, True),
        # Below the floor, whatever was planned.
        ((110.0, 50.0, 3.5), 84.0, True),
        ((110.0, 50.0, 3.5), None, True),
        # Beyond the plan and falling fast: nothing would be left by the next look.
        ((110.0, 60.0, 38.0, 20.0), 84.0, True),
        # Beyond the plan, but slowly.
        ((110.0, 24.9, 24.8, 24.7, 24.6), 84.0, False),
        # Fast, but as planned: reserving the cache is one jump.
        ((110.0, 88.0, 28.0), 84.0, False),
    ],
)
def test_a_load_is_ended_below_its_floor_or_when_it_cannot_be_held_any_more(
    samples, needed, ends
) -> None:
    assert trend(*samples, needed=needed).too_low() is ends


def test_a_setting_of_nothing_turns_the_watch_off() -> None:
    assert not trend(110.0, 0.0, floor=0).too_low()


def test_the_floor_follows_the_plan_but_never_below_what_any_spark_needs() -> None:
    assert trend(110.0).floor == FLOOR
    assert LEAST_FLOOR < trend(110.0, needed=107.7).floor < FLOOR
    assert trend(110.0, needed=109.5).floor == LEAST_FLOOR
    assert trend(110.0, needed=None).floor == FLOOR
    # First seen in the middle of a load: what it had before is not known.
    assert trend(30.0).planned_left is None


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ((), False),
        ((110.0, 100.0, 90.0), True),
        ((110.0, 105.0, 100.0), False),
        ((110.0, 108.0, 106.0), False),
        ((30.0, 30.0, 30.0), False),
        ((6.0, 5.0), True),
        ((20.0, 12.0), True),
    ],
)
def test_a_host_was_running_out_when_it_soon_would_have_had_nothing(samples, expected) -> None:
    assert trend(*samples).running_out() is expected


def test_memory_that_rises_does_not_fall() -> None:
    assert trend(10.0, 20.0, 30.0).falling() == 0
    assert trend(30.0, 20.0).falling() == 10 * GIB
