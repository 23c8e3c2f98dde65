"""How a simulated Spark's seconds pass."""

import asyncio

import pytest

from spark_sim.pace import Pace


async def test_who_already_sleeps_is_woken_at_the_new_pace() -> None:
    pace = Pace(speed=1.0)
    sleepers = [asyncio.create_task(pace.sleep(3_600)) for _ in range(3)]
    await asyncio.sleep(0)
    pace.speed = 1e9
    await asyncio.gather(*sleepers)


async def test_a_drag_keeps_those_asleep_who_would_have_woken() -> None:
    pace = Pace(speed=1e5)
    pace.drag = 1e9
    sleeper = asyncio.create_task(pace.sleep(1.0))
    soon = asyncio.create_task(pace.sleep(1e-9))
    await soon
    assert not sleeper.done()
    pace.speed = 2e5
    await asyncio.sleep(0)
    assert not sleeper.done()
    pace.drag = 1.0
    await sleeper


async def test_one_that_is_cancelled_is_forgotten() -> None:
    pace = Pace(speed=1.0)
    sleeper = asyncio.create_task(pace.sleep(3_600))
    await asyncio.sleep(0)
    sleeper.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeper
    pace.speed = 2.0
    assert pace.real(60) == 30
