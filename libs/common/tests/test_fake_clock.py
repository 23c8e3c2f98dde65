import asyncio

from spark_common.testing import FakeClock


async def test_sleepers_wake_in_the_order_of_their_moments() -> None:
    clock, woken = FakeClock(), []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic()))

    tasks = [asyncio.create_task(sleeper(name, s)) for name, s in [("c", 3), ("a", 1), ("b", 2)]]
    await clock.advance(2.5)
    assert woken == [("a", 1), ("b", 2)]
    await clock.advance(0.5)
    assert woken[-1] == ("c", 3)
    await asyncio.gather(*tasks)


async def test_a_loop_that_sleeps_again_runs_every_round() -> None:
    clock, rounds = FakeClock(), []

    async def every_second() -> None:
        while True:
            await clock.sleep(1)
            rounds.append(clock.monotonic())

    task = asyncio.create_task(every_second())
    await clock.advance(200)
    task.cancel()
    assert rounds == [float(second) for second in range(1, 201)]


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(10))
    await clock.advance(1)
    assert clock.sleepers == 1
    task.cancel()
    await clock.advance(20)
    assert clock.sleepers == 0
    assert clock.monotonic() == 21


async def test_wall_clock_and_deadlines_move_together() -> None:
    clock = FakeClock()
    before = clock.now()
    await clock.advance(90)
    assert (clock.now() - before).total_seconds() == 90
