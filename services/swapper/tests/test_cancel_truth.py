"""Cancelled at any moment, with or without a model before: what is said is what serves."""

import asyncio

import pytest

from spark_common.contracts.swaps import Phase
from spark_swapper.records.jobs import MAIN_LINE

TABLE = [(phase, loaded) for phase in MAIN_LINE[1:-1] for loaded in (True, False)]


@pytest.mark.parametrize(("phase", "loaded"), TABLE)
async def test_what_a_cancelled_swap_says_is_what_serves(bench, effects, phase, loaded):
    if not loaded:
        bench.runtime._container = None
    bench.runtime.busy_until = 10
    bench.runtime.token_seconds = 100
    bench.clients.swap_id = None
    attempt = bench.attempt(bench.job(rollback=True))

    async def cancel_there():
        await bench.until(lambda: attempt.journal.job.phase is phase)
        # Stopping nothing takes no time: the cancel comes with the order, or before it.
        if loaded or phase not in (Phase.DRAINING, Phase.STOPPING):
            await bench.clock.advance(0.1)
        attempt.cancellation.by = "Bob"

    # With nothing loaded these two phases take no time: the swap is cancelled before them.
    if not loaded and phase in (Phase.DRAINING, Phase.STOPPING):
        job = bench.job(rollback=True)
        for step in MAIN_LINE[1 : MAIN_LINE.index(phase) + 1]:
            job = job.enter(step, bench.clock.now(), "")
        attempt = bench.attempt(job)
        attempt.cancellation.by = "Bob"
        ended = await bench.swap(attempt=attempt)
    else:
        ended = await bench.swap(attempt=attempt, meanwhile=cancel_there)
    assert (ended.phase, ended.cause.code) == (Phase.CANCELLED, "cancelled")
    # An order on its way is not interrupted: the launch is seen through and then cleared.
    assert ended.failed_in is (Phase.LOADING if phase is Phase.LAUNCHING else phase)
    serves = bench.runtime.loaded
    assert ended.serving == serves
    if phase in (Phase.PREFLIGHT, Phase.DRAINING):
        assert (serves, effects()) == ("gemma" if loaded else None, [])
        said = "gemma-served is serving." if loaded else "Nothing was touched."
    elif phase is Phase.STOPPING and not loaded:
        assert (serves, effects()) == (None, [])
        said = "Nothing was touched."
    else:
        assert serves is None
        said = "The GPU is empty now. Press 'Switch to this' on any card."
    assert ended.message == f"Cancelled by Bob. {said}"


async def test_a_cancel_does_not_wait_for_the_check_of_the_arguments(bench, effects):
    bench.preflight.seconds = 60
    attempt = bench.attempt()
    running = asyncio.create_task(bench.runner.run(attempt, bench.new))
    await bench.clock.advance(5)
    attempt.cancellation.by = "Bob"
    await bench.clock.advance(0)
    assert running.done()
    job = await running
    assert (job.phase, job.failed_in, effects()) == (Phase.CANCELLED, Phase.PREFLIGHT, [])
    assert job.message == "Cancelled by Bob. gemma-served is serving."


async def test_cancelling_a_swap_to_what_serves_already_takes_nothing_away(bench, effects):
    bench.runtime.serve(bench.new)
    bench.clients.answer_seconds = 1000
    attempt = bench.attempt()

    async def cancel_there():
        await bench.until(lambda: attempt.journal.job.phase is Phase.WARMING)
        attempt.cancellation.by = "Bob"

    job = await bench.swap(attempt=attempt, meanwhile=cancel_there)
    assert (job.phase, job.serving, effects()) == (Phase.CANCELLED, "qwen", [])
    assert job.message == "Cancelled by Bob. qwen-served is serving."


@pytest.mark.parametrize("when", ["stopping", "launching", "loading", "warming"])
async def test_a_cancel_at_any_point_of_the_way_back_leaves_an_empty_gpu_and_says_so(bench, when):
    bench.runtime.faults.dies_after, bench.runtime.faults.only_for = 20, "qwen"
    attempt = bench.attempt(bench.job(rollback=True))

    async def cancel_there():
        await bench.until(lambda: attempt.journal.job.phase is Phase.ROLLING_BACK)
        bench.clients.answer_seconds = 1000
        if when != "stopping":
            await bench.until(lambda: bench.runtime.loaded == "gemma")
        if when == "loading":
            await bench.clock.advance(30)
        if when == "warming":
            await bench.until(lambda: bench.clients.asked)
        attempt.cancellation.by = "Bob"

    job = await bench.swap(attempt=attempt, meanwhile=cancel_there)
    assert (job.phase, job.serving, bench.runtime.loaded) == (Phase.CANCELLED, None, None)
    assert job.failed_in is not None
    assert job.message.startswith("Cancelled by Bob. The GPU is empty now.")


@pytest.mark.parametrize("phase", MAIN_LINE[1:-1])
async def test_cancel_ends_truthfully_from_every_phase(bench, phase):
    bench.runtime.busy_until = 10
    if phase is Phase.WARMING:
        bench.runtime.faults.no_token = "HTTP 503"
    attempt = bench.attempt(bench.job(rollback=True))

    async def cancel_there():
        await bench.until(lambda: attempt.journal.job.phase is phase)
        attempt.cancellation.by = "Bob"

    job = await bench.swap(attempt=attempt, meanwhile=cancel_there)
    assert (job.phase, job.cause.code) == (Phase.CANCELLED, "cancelled")
    assert "Bob" in job.cause.sentence
    before_stop = phase in (Phase.PREFLIGHT, Phase.DRAINING)
    assert job.serving == ("gemma" if before_stop else None)
    assert bench.runtime.loaded == ("gemma" if before_stop else None)
    if not before_stop:
        assert "The GPU is empty now. Press 'Switch to this'" in job.message


async def test_cancel_at_the_very_edge_of_stopping_leaves_the_old_model(bench, effects):
    job = bench.job()
    for phase in (Phase.PREFLIGHT, Phase.DRAINING, Phase.STOPPING):
        job = job.enter(phase, bench.clock.now(), "")
    attempt = bench.attempt(job)
    attempt.cancellation.by = "Bob"
    ended = await bench.swap(attempt=attempt)
    assert (ended.phase, ended.serving, effects()) == (Phase.CANCELLED, "gemma", [])


async def test_cancel_at_the_edge_of_stopping_an_empty_gpu_says_that_nothing_happened(
    bench, effects
):
    bench.runtime._container = None
    attempt = bench.attempt(bench.job())
    await attempt.journal.enter(Phase.PREFLIGHT, "")
    await attempt.journal.enter(Phase.DRAINING, "")
    await attempt.journal.enter(Phase.STOPPING, "")
    attempt.cancellation.by = "Bob"
    job = await bench.swap(attempt=attempt)
    assert (job.phase, job.serving, effects()) == (Phase.CANCELLED, None, [])
    assert job.message == "Cancelled by Bob. Nothing was touched."


async def test_cancel_while_rolling_back_empties_the_gpu(bench):
    bench.runtime.faults.dies_after, bench.runtime.faults.only_for = 20, "qwen"
    attempt = bench.attempt(bench.job(rollback=True))

    async def cancel_there():
        await bench.until(lambda: attempt.journal.job.phase is Phase.ROLLING_BACK)
        await bench.until(lambda: bench.runtime.loaded == "gemma")
        attempt.cancellation.by = "Bob"

    job = await bench.swap(attempt=attempt, meanwhile=cancel_there)
    assert (job.phase, job.serving, bench.runtime.loaded) == (Phase.CANCELLED, None, None)
