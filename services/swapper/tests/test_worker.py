"""The durable command loop: each accepted swap is carried out, told and recorded once."""

import pytest

from spark_common.contracts.swaps import Phase
from spark_common.events import SwapProgress
from spark_swapper.records.jobs import MAIN_LINE


async def test_an_admitted_swap_is_carried_out_told_recorded_and_acknowledged(bench, running):
    running()
    await bench.request()
    job = await bench.over()
    assert (job.phase, job.over, job.attempt) == (Phase.READY, True, 1)
    told = bench.outcome()
    assert (told.model, told.served_name, told.previous) == ("qwen", "qwen-served", "gemma")
    assert set(told.phase_seconds) == {phase.value for phase in MAIN_LINE[:-1]}
    assert await bench.store.live() == []
    assert await bench.store.usual_seconds("qwen") == pytest.approx(told.total_seconds, abs=1)
    await bench.until(lambda: not bench.pending())


async def test_progress_comes_before_the_outcome(bench, running):
    running()
    await bench.request()
    await bench.over()
    assert bench.told()[-1].phase is Phase.WARMING


async def test_a_fenced_worker_ends_its_process_and_acknowledges_nothing(bench, running, effects):
    running()
    bench.runtime.busy_until = 10
    await bench.request()
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.DRAINING)
    bench.runtime.raise_guard(fence=50)
    await bench.until(lambda: bench.deaths == 1)
    assert effects() == []
    assert bench.outcome() is None
    assert bench.pending()


async def test_the_next_start_claims_a_higher_fence_than_any_spark_has_seen(bench, running):
    bench.runtime.raise_guard(fence=50)
    running()
    await bench.request()
    assert (await bench.over()).phase is Phase.READY
    assert bench.runtime._fence["spark1"] == 51


async def test_a_cancel_that_ends_the_swap_just_before_the_claim_wins(bench, running, effects):
    await bench.request()
    asked = bench.store.cancel_requested

    async def slow(swap_id):
        by = await asked(swap_id)
        if by is None:
            await bench.cancelling._end_queued(swap_id, "Bob")
        return by

    bench.store.cancel_requested = slow
    running()
    await bench.until(lambda: bench.outcome() is not None)
    await bench.until(lambda: not bench.pending())
    assert (bench.outcome().outcome, bench.deaths, effects()) == ("cancelled", 0, [])


async def test_a_lease_taken_before_the_start_refuses_the_swap(bench, running, effects):
    await bench.request()
    bench.gate.take("nightly-batch", "secret")
    running()
    job = await bench.over()
    assert (job.phase, job.cause.code, job.serving) == (Phase.FAILED, "lease_held", "gemma")
    assert effects() == []


async def test_the_holder_of_the_lease_may_swap(bench, running):
    bench.gate.take("nightly-batch", "secret")
    await bench.request(lock_token="secret")
    running()
    assert (await bench.over()).phase is Phase.READY


async def test_a_person_swaps_through_a_lease_that_was_there_and_one_that_came(bench, running):
    epoch = bench.gate.take("nightly-batch", "secret")
    await bench.request(override_lease=True, requested_by="Owner")
    assert (await bench.store.get("swap-1")).lease_epoch == epoch
    bench.gate.take("agent", "other")
    running()
    assert (await bench.over()).phase is Phase.READY
    assert bench.gate.through == [("swap-1", "Owner")]


async def test_what_was_admitted_without_a_lease_overrides_none(bench, running):
    await bench.request(override_lease=True)
    bench.gate.take("nightly-batch", "secret")
    running()
    assert (await bench.over()).cause.code == "lease_held"
    assert bench.gate.through == []


async def test_another_outcome_that_stands_wins(bench, running):
    running()
    await bench.request()
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.LOADING)
    job = bench.worker.running
    cancelled = job.enter(Phase.CANCELLED, bench.clock.now(), "x")
    await bench.outcomes.publish(cancelled)
    await bench.until(lambda: bench.worker.running is None)
    assert (await bench.store.get("swap-1")).phase is Phase.CANCELLED
    assert bench.outcome().outcome == "cancelled"


async def test_what_is_no_command_is_dropped_and_the_queue_moves_on(bench, running):
    bench.broker.store("swap.requested.junk", b"{]", "junk")
    await bench.request()
    running()
    assert (await bench.over()).phase is Phase.READY
    assert bench.broker.stream("SC_DLQ").bounds[2] == 1


async def test_progress_events_are_never_larger_than_the_bus_allows(bench, running):
    event = SwapProgress(
        swap_id="x", n=1, model="m", phase=Phase.LOADING, lines=["y" * 4000], at=bench.clock.now()
    )
    attempt = bench.attempt()
    running()
    await bench.clock.advance(1)
    await attempt.journal.note("long", lines=tuple("y" * 4000 for _ in range(1000)))
    await bench.clock.advance(1)
    told = bench.told()[-1]
    assert len(told.model_dump_json()) < 400_000
    assert "lines left out" in told.lines[0]
    assert len(event.lines[0]) == 4000


async def test_after_a_swap_the_log_is_closed_and_the_menu_is_looked_at_again(bench, running):
    running()
    await bench.request()
    await bench.over()
    assert (bench.logs.closed, bench.shelf.refreshes) == (["swap-1"], 1)
    assert "asked for by someone, attempt 1" in (await bench.logs.read("swap-1")).lines[0]


async def test_a_degraded_model_is_told_with_the_outcome(bench, running):
    bench.runtime.faults.babble, bench.runtime.faults.only_for = "!" * 80, "qwen"
    running()
    await bench.request()
    job = await bench.over()
    told = bench.outcome()
    assert told.degraded == job.degraded
    assert "gibberish" in told.degraded
    assert bench.observer.view().state == "degraded"
