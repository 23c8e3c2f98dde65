"""A task that loses its first cancellation ends all the same."""

import asyncio
import contextlib

import pytest

from spark_common.tasks import end, stay_cancelled, together


async def deaf(times: int) -> None:
    """Lose so many cancellations, as wait_for may."""
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            times -= 1
            if times < 0:
                raise


async def test_a_task_that_loses_cancellations_is_ended() -> None:
    task = asyncio.create_task(deaf(2))
    await asyncio.sleep(0)
    await end([task])
    assert task.cancelled()


async def test_tasks_of_an_ended_task_end_too_though_it_is_asked_again() -> None:
    inner = asyncio.create_task(deaf(2))

    async def outer() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await end([inner])

    task = asyncio.create_task(outer())
    await asyncio.sleep(0)
    await end([task])
    ended = inner.cancelled()
    await end([inner])
    assert (task.cancelled(), ended) == (True, True)


async def test_loops_end_together_with_the_first_though_another_loses_its_cancellation() -> None:
    async def breaks() -> None:
        raise ValueError("x")

    async def goes_on() -> None:
        await deaf(2)

    before = asyncio.all_tasks()
    with pytest.raises(ValueError, match="x"):
        await together([goes_on, breaks])
    assert asyncio.all_tasks() == before


async def test_a_loop_that_returns_is_one_that_broke() -> None:
    async def returns() -> None:
        return

    with pytest.raises(RuntimeError, match="never returns did"):
        await together([returns])


async def test_loops_end_with_whoever_runs_them() -> None:
    before = asyncio.all_tasks()

    async def goes_on() -> None:
        await deaf(2)

    for loops in ([goes_on], []):
        task = asyncio.create_task(together(loops))
        await asyncio.sleep(0)
        await end([task])
        assert task.cancelled()
    assert asyncio.all_tasks() == before


async def test_what_ended_tasks_raised_is_dropped() -> None:
    async def broken() -> None:
        raise ValueError("x")

    task = asyncio.create_task(broken())
    await asyncio.sleep(0)
    await end([task])
    assert task.done()


async def test_a_lost_cancellation_is_found_again() -> None:
    async def lossy() -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        stay_cancelled()
        return "went on"

    task = asyncio.create_task(lossy())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_time_limit_that_ran_out_is_no_cancellation() -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.Event().wait()
    stay_cancelled()
