"""A worker that is killed at any moment: the next one finishes what it began, once."""

import asyncio

import pytest

from spark_common.contracts.swaps import Phase
from spark_swapper.records.jobs import MAIN_LINE


@pytest.mark.parametrize("phase", MAIN_LINE[1:-1])
async def test_killed_in_any_phase_the_next_worker_finishes_and_nothing_happens_twice(
    bench, running, effects, phase
):
    bench.runtime.busy_until = 10
    kill = running()
    await bench.request()
    if phase is Phase.WARMING:
        bench.runtime.faults.no_token = "HTTP 503"
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is phase)
    await kill()
    bench.runtime.faults.no_token = None
    running(again=True)
    job = await bench.over()
    assert (job.phase, job.attempt, job.serving) == (Phase.READY, 2, "qwen")
    assert effects() == ["stop@spark1", "launch@spark1"]
    numbers = [event.n for event in bench.told()]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("phase", [Phase.STOPPING, Phase.LAUNCHING, Phase.LOADING])
async def test_killed_while_redis_was_away_the_cluster_says_how_far_it_was(
    bench, running, effects, phase
):
    kill = running()
    await bench.request()
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.PREFLIGHT)
    bench.store.away = True
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is phase)
    await bench.clock.advance(3)
    await kill()
    bench.store.away = False
    assert (await bench.store.get("swap-1")).phase is Phase.PREFLIGHT
    running(again=True)
    job = await bench.over()
    assert (job.phase, job.serving) == (Phase.READY, "qwen")
    assert effects() == ["stop@spark1", "launch@spark1"]


async def test_killed_in_a_rollback_the_way_back_is_finished_once(bench, running, effects):
    bench.runtime.faults.dies_after, bench.runtime.faults.only_for = 20, "qwen"
    bench.runtime.faults.last_words = "FATAL out of memory"
    kill = running()
    await bench.request(rollback=True)
    await bench.until(
        lambda: (
            getattr(bench.worker.running, "phase", None) is Phase.ROLLING_BACK
            and bench.runtime.loaded == "gemma"
        )
    )
    await kill()
    running(again=True)
    job = await bench.over()
    assert (job.phase, job.serving, job.cause.code) == (Phase.ROLLED_BACK, "gemma", "out_of_memory")
    assert bench.outcome().outcome == "rolled_back"
    assert effects().count("rollback-launch@spark1") == 1


async def test_killed_while_clearing_up_the_first_cause_is_kept(bench, running):
    bench.runtime.faults.dies_after = 20
    bench.runtime.faults.last_words = "FATAL out of memory"
    kill = running()
    await bench.request()
    await bench.until(
        lambda: "clear@spark1" in [f"{s}@{h}" for _, h, _, s in bench.runtime.journal]
    )
    await kill()
    running(again=True)
    job = await bench.over()
    assert (job.phase, job.cause.code) == (Phase.FAILED, "out_of_memory")


async def test_the_fourth_delivery_is_not_tried_but_told(bench, running, effects):
    await bench.request()
    bench.runtime.load_seconds = 500
    for _ in range(3):
        kill = running(again=True)
        await bench.until(lambda: bench.worker.running is not None)
        await bench.until(lambda: bench.worker.running.phase is Phase.LOADING)
        await kill()
    running(again=True)
    job = await bench.over()
    assert (job.phase, job.cause.code, job.attempt) == (Phase.FAILED, "poison", 4)
    assert job.message.endswith("What runs there now is not known.")
    assert effects().count("launch@spark1") == 1
    await bench.until(lambda: not bench.pending())


async def test_a_swap_whose_every_delivery_is_killed_is_told_in_the_end(bench, running, effects):
    await bench.request()
    bench.runtime.load_seconds = 500
    for _ in range(3):
        kill = running(again=True)
        await bench.until(lambda: bench.worker.running is not None)
        await bench.until(lambda: bench.worker.running.phase is Phase.LOADING)
        await kill()
    for attempt in range(4, 9):
        # Killed each time between the end and the word of it.
        kill = running(again=True)
        bench.worker._after_swap = asyncio.Event().wait
        await bench.until(lambda at=attempt: getattr(bench.worker.running, "attempt", 0) == at)
        await kill()
        assert bench.outcome() is None
    running(again=True)
    job = await bench.over()
    assert (job.phase, job.cause.code, job.attempt) == (Phase.FAILED, "poison", 9)
    assert effects().count("launch@spark1") == 1
    await bench.until(lambda: not bench.pending())
    await bench.request(id="swap-2")
    bench.runtime.load_seconds = 10
    assert (await bench.over("swap-2")).phase is Phase.READY


async def test_a_long_outage_in_the_middle_of_stopping_gives_the_stop_its_time_again(
    bench, running
):
    bench.runtime.faults.never_stops = True
    kill = running()
    await bench.request()
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.STOPPING)
    await kill()
    await bench.clock.advance(600)
    bench.runtime.faults.never_stops = False
    bench.runtime._container.stop_at = bench.clock.monotonic() + 20
    running(again=True)
    assert (await bench.over()).phase is Phase.READY


async def test_lost_records_and_a_kill_in_the_middle_still_launch_once(bench, running, effects):
    kill = running()
    await bench.request()
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.LOADING)
    await kill()
    bench.store.forget()
    running(again=True)
    assert (await bench.over()).phase is Phase.READY
    assert effects() == ["stop@spark1", "launch@spark1"]
