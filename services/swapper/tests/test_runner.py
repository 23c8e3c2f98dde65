"""The story of a swap, and what the runner leaves to others."""

import asyncio

import pytest

from spark_common.contracts.swaps import Phase
from spark_swapper.ports import PreflightResult
from spark_swapper.records.jobs import MAIN_LINE
from spark_swapper.runtime import Finding, HostCheck, Order, StaleFenceError


async def test_a_swap_goes_through_every_phase_and_ends_serving(bench, effects):
    bench.runtime.busy_until = 8
    job = await bench.swap()
    assert (job.phase, job.serving, job.previous) == (Phase.READY, "qwen", "gemma")
    assert [mark.phase for mark in job.phases] == list(MAIN_LINE)
    assert effects() == ["stop@spark1", "launch@spark1"]
    seconds = job.phase_seconds()
    assert seconds["draining"] == pytest.approx(8, abs=1.5)
    assert seconds["stopping"] == pytest.approx(10, abs=1.5)
    assert seconds["loading"] == pytest.approx(60, abs=1.5)
    assert job.message == "QWEN is serving."
    assert bench.runtime.loaded == "qwen"
    assert job.view().hosts == ["spark1"], "what runs on the other one needs not wait for it"


async def test_what_is_over_between_two_looks_is_not_waited_for(bench):
    bench.timings = bench.timings.model_copy(update={"poll_seconds": 20.0})
    bench.runtime.stop_seconds = 1.0
    bench.runtime.load_seconds = 62.0
    bench.runtime.memory.returns((0, 20), (5, 127))
    job = await bench.swap()
    seconds = job.phase_seconds()
    assert 4 < seconds["stopping"] < 15
    assert seconds["loading"] < 70


async def test_progress_is_saved_first_numbered_and_carries_percent_and_lines(bench):
    job = await bench.swap()
    told = bench.told()
    assert [event.n for event in told] == list(range(1, len(told) + 1))
    assert [event.phase for event in told if event.previous_phase] == list(MAIN_LINE[1:-1])
    percents = [event.percent for event in told if event.percent is not None]
    assert percents == sorted(percents)
    assert {0.0, 50.0, 90.0} <= set(percents)
    lines = [line for event in told for line in event.lines]
    assert lines.count("weights 50") == 1
    saved = await bench.store.get("swap-1")
    assert saved.n == told[-1].n
    assert saved.revision <= job.revision


async def test_with_nothing_loaded_nothing_is_stopped(bench, effects):
    bench.runtime._container = None
    job = await bench.swap()
    assert (job.phase, job.previous) == (Phase.READY, None)
    assert effects() == ["launch@spark1"]


async def test_a_model_that_serves_by_now_is_only_asked_for_a_token(bench, effects):
    bench.runtime.serve(bench.new)
    job = await bench.swap()
    assert (job.phase, effects()) == (Phase.READY, [])


async def test_a_cluster_model_stops_and_watches_both_hosts(bench, effects):
    bench.runtime.serve(bench.wide)
    other = bench.wide.__class__(**{**bench.wide.__dict__, "key": "big", "repo": "org/big"})
    bench.shelf.candidates["big"] = other
    job = await bench.swap(other)
    assert job.phase is Phase.READY
    assert job.view().hosts == ["spark1", "spark2"]
    assert effects() == ["stop@spark1", "stop@spark2", "launch@spark1"]


async def test_the_eta_comes_from_earlier_swaps_and_else_from_the_running_load(bench):
    job = bench.job(usual_seconds=100.0)
    running = asyncio.create_task(bench.swap(attempt=bench.attempt(job)))
    await bench.until(running.done)
    etas = [event.eta_seconds for event in bench.told() if event.percent == 50.0]
    assert etas
    assert 30 <= etas[0] <= 70


async def test_what_can_only_be_doubted_does_not_stop_a_swap(bench):
    bench.preflight.result = PreflightResult("unknown", "docker is busy")
    bench.runtime.faults.problems["spark1"] = HostCheck(
        "spark1", (Finding("image", "unknown", "Docker is slow."),)
    )
    job = await bench.swap()
    assert job.phase is Phase.READY
    lines = [line for event in bench.told() for line in event.lines]
    assert "Docker is slow." in lines
    assert any("could not be checked: docker is busy" in line for line in lines)


def a_checked_attempt(bench):
    """Return an attempt that asks the gate again, as the worker's do."""
    attempt = bench.attempt()
    attempt.check_gate = lambda: bench.worker._check_gate_again(attempt)
    return attempt


async def test_a_lease_taken_while_draining_stops_the_swap_before_any_effect(bench, effects):
    bench.runtime.busy_until = 20
    attempt = a_checked_attempt(bench)

    async def taken():
        await bench.until(lambda: attempt.journal.job.phase is Phase.DRAINING)
        bench.gate.take("nightly-batch", "secret")

    ended = await bench.swap(attempt=attempt, meanwhile=taken)
    assert (ended.phase, ended.cause.code) == (Phase.FAILED, "lease_held")
    assert "'nightly-batch'" in ended.cause.sentence
    assert (ended.serving, effects()) == ("gemma", [])


@pytest.mark.parametrize(
    ("away_seconds", "ended"), [(20, (Phase.READY, None)), (60, (Phase.FAILED, "unavailable"))]
)
async def test_nothing_is_stopped_while_the_lease_cannot_be_read(
    bench, effects, away_seconds, ended
):
    attempt = a_checked_attempt(bench)

    async def outage():
        bench.gate.away = True
        await bench.until(lambda: attempt.journal.job.phase is Phase.DRAINING)
        await bench.clock.advance(away_seconds)
        assert effects() == []
        bench.gate.away = False

    job = await bench.swap(attempt=attempt, meanwhile=outage)
    assert (job.phase, job.cause and job.cause.code) == ended


async def test_whoever_cancels_does_not_wait_for_a_lease_that_cannot_be_read(bench, effects):
    attempt = a_checked_attempt(bench)

    async def cancel():
        bench.gate.away = True
        await bench.until(lambda: attempt.journal.job.phase is Phase.DRAINING)
        await bench.clock.advance(5)
        attempt.cancellation.by = "Bob"

    job = await bench.swap(attempt=attempt, meanwhile=cancel)
    assert (job.phase, effects()) == (Phase.CANCELLED, [])


async def test_a_stale_epoch_fails_the_swap_without_touching_anything_more(bench, effects):
    bench.runtime.raise_guard(epoch=3)
    job = await bench.swap()
    assert (job.phase, job.cause.code) == (Phase.FAILED, "stale_epoch")
    assert (job.serving, effects()) == ("gemma", [])


async def test_a_stale_fence_is_not_handled_here(bench, effects):
    bench.runtime.raise_guard(fence=9)
    with pytest.raises(StaleFenceError):
        await bench.swap()
    assert effects() == []


async def test_redis_away_in_the_middle_does_not_stop_a_swap(bench):
    attempt = bench.attempt()

    async def outage():
        await bench.until(lambda: attempt.journal.job.phase is Phase.STOPPING)
        bench.store.away = True
        await bench.until(lambda: attempt.journal.job.phase is Phase.LOADING)
        saved = bench.store._rows["swap-1"].record
        assert saved.phase is Phase.STOPPING
        bench.store.away = False

    job = await bench.swap(attempt=attempt, meanwhile=outage)
    assert job.phase is Phase.READY
    assert (await bench.store.get("swap-1")).phase is Phase.WARMING


async def test_a_record_taken_over_by_a_newer_worker_ends_this_one(bench):
    attempt = bench.attempt(fence=1)

    async def takeover():
        await bench.until(lambda: attempt.journal.job.phase is Phase.LOADING)
        stored = await bench.store.get("swap-1")
        await bench.store.save(stored.amend(attempt=2), stored.revision, 2)

    with pytest.raises(StaleFenceError):
        await bench.swap(attempt=attempt, meanwhile=takeover)


async def test_the_guard_of_the_fake_starts_a_step_once(bench):
    bench.runtime.answer_seconds = 0
    order = Order(1, 0, "swap-1", "launch")
    assert await bench.runtime.launch(order, bench.new)
    assert not await bench.runtime.launch(order, bench.new)
