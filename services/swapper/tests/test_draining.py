"""Answers that are being written: waited for, never cut off unless somebody says so."""

import asyncio

import pytest

from spark_common.contracts.swaps import Phase


async def test_the_gateways_streams_are_waited_for_though_the_runtime_knows_none(bench, effects):
    bench.clients.busy_until = 12
    job = await bench.swap()
    assert job.phase is Phase.READY
    assert job.phase_seconds()["draining"] == pytest.approx(12, abs=1.5)
    assert any(
        event.message.startswith("Letting 2 answers finish, at most") for event in bench.told()
    )
    assert effects() == ["stop@spark1", "launch@spark1"]


async def test_the_larger_number_counts(bench):
    bench.clients.busy_until, bench.runtime.busy_until = 5, 15
    job = await bench.swap()
    assert job.phase_seconds()["draining"] == pytest.approx(15, abs=1.5)


@pytest.mark.parametrize(
    ("who", "said"),
    [("clients", "2 answers were still being written"), ("runtime", "1 answer was still being")],
)
async def test_what_is_not_done_in_time_ends_the_swap_and_touches_nothing(
    bench, effects, who, said
):
    getattr(bench, who).busy_until = 1e9
    job = await bench.swap(attempt=bench.attempt(bench.job(rollback=True)))
    assert (job.phase, job.cause.code, job.failed_in) == (
        Phase.FAILED,
        "still_answering",
        Phase.DRAINING,
    )
    assert job.cause.sentence.startswith(said)
    assert job.cause.sentence.endswith("after 30 s; nothing was touched.")
    assert "Cut off answers" in job.cause.action
    assert "force" in job.cause.action
    assert (job.serving, effects(), bench.runtime.loaded) == ("gemma", [], "gemma")
    assert "gemma-served is serving" in job.message
    assert job.phase_seconds()["draining"] == pytest.approx(30, abs=1.5)


async def test_with_force_they_are_cut_off_then_and_not_before(bench, effects):
    bench.clients.busy_until = 1e9
    job = await bench.swap(attempt=bench.attempt(bench.job(force=True)))
    assert (job.phase, job.force) == (Phase.READY, True)
    assert job.phase_seconds()["draining"] == pytest.approx(30, abs=1.5)
    assert effects() == ["stop@spark1", "launch@spark1"]


async def test_with_nothing_loaded_there_is_nobody_to_wait_for(bench):
    bench.runtime._container = None
    bench.clients.busy_until = 1e9
    job = await bench.swap()
    assert job.phase is Phase.READY
    assert job.phase_seconds()["draining"] == pytest.approx(0, abs=0.5)


async def test_nothing_is_stopped_before_the_door_is_closed(bench):
    bench.clients.swap_id = None
    attempt = bench.attempt()
    running = asyncio.create_task(bench.swap(attempt=attempt))
    await bench.until(lambda: attempt.journal.job.phase is Phase.DRAINING)
    await bench.clock.advance(0.5)
    assert attempt.journal.job.phase is Phase.DRAINING
    bench.clients.swap_id = "swap-1"
    await bench.until(lambda: attempt.journal.job.phase is Phase.STOPPING, 1)
    await running


async def test_a_gateway_that_never_hears_of_the_swap_holds_it_up_two_seconds(bench):
    bench.clients.swap_id = "another"
    job = await bench.swap()
    assert job.phase is Phase.READY
    assert job.phase_seconds()["draining"] == pytest.approx(2, abs=0.6)


async def test_a_gateway_killed_while_draining_leaves_the_count_to_the_runtime(bench):
    bench.clients.busy_until, bench.runtime.busy_until = 1e9, 12
    attempt = bench.attempt()

    async def kill():
        await bench.until(lambda: attempt.journal.job.phase is Phase.DRAINING)
        bench.clients.away = True

    job = await bench.swap(attempt=attempt, meanwhile=kill)
    assert job.phase is Phase.READY
    assert job.phase_seconds()["draining"] == pytest.approx(12, abs=1.5)


async def test_a_cancel_while_draining_leaves_the_old_model(bench, effects):
    bench.clients.busy_until = 1e9
    attempt = bench.attempt()

    async def cancel():
        await bench.until(lambda: attempt.journal.job.phase is Phase.DRAINING)
        attempt.cancellation.by = "Bob"

    job = await bench.swap(attempt=attempt, meanwhile=cancel)
    assert (job.phase, job.serving, effects()) == (Phase.CANCELLED, "gemma", [])
