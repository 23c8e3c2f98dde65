"""A swap never touches a Spark while the cluster software is being updated."""

import asyncio

import pytest

from spark_common.contracts.swaps import Phase, RequestSwap
from spark_common.errors import JobInProgressError
from spark_common.tasks import end


@pytest.fixture
async def working(bench):
    task = asyncio.create_task(bench.worker.run())
    yield bench
    await end([task])


async def ask(bench, swap_id, **more):
    return await bench.handlers.request_swap(RequestSwap(model="qwen", id=swap_id, **more))


async def test_a_swap_is_refused_with_what_to_do(bench):
    bench.updating = "u-1"
    with pytest.raises(JobInProgressError, match="ask to be queued") as refused:
        await ask(bench, "one")
    assert refused.value.details["job_id"] == "u-1"
    assert await bench.store.get("one") is None


async def test_a_dry_run_is_not_in_the_way(bench):
    bench.updating = "u-1"
    planning = asyncio.create_task(ask(bench, "one", dry_run=True))
    await bench.until(planning.done)
    assert (await planning).plan is not None


async def test_a_queued_swap_waits_for_the_end_of_the_update(working):
    working.updating = "u-1"
    await ask(working, "one", when_busy="queue")
    await working.until(lambda: working.worker.running is not None)
    await working.clock.advance(300)
    running = working.worker.running
    assert running.phase is Phase.QUEUED
    assert running.message == "Waiting for the update of the cluster software to end."
    assert working.runtime.journal == []
    working.updating = None
    await working.until(lambda: working.worker.running is None)
    assert (await working.store.get("one")).phase is Phase.READY


async def test_a_queued_swap_can_be_cancelled_while_it_waits(working):
    working.updating = "u-1"
    await ask(working, "one", when_busy="queue")
    await working.until(lambda: working.worker.running is not None)
    assert working.worker.cancel("one", "Bob")
    await working.until(lambda: working.worker.running is None)
    assert (await working.store.get("one")).phase is Phase.CANCELLED


async def test_an_update_that_slips_in_stops_the_swap_before_its_first_effect(working):
    look = working.preflight

    async def slow(candidate, *, deep=False):
        result = await look(candidate, deep=deep)
        working.updating = "u-1"
        return result

    working.runner._preflighting._preflight = slow
    await ask(working, "one")
    await working.until(lambda: working.worker.running is not None)
    await working.until(lambda: working.worker.running is None)
    job = await working.store.get("one")
    assert (job.phase, job.cause.code) == (Phase.FAILED, "being_updated")
    assert working.runtime.journal == []
