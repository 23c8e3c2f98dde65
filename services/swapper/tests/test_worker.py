"""The durable command loop: each accepted swap to its one end, whatever is killed when."""

import asyncio

import pytest
import pytest_asyncio

from spark_common.contracts.swaps import GetSwap, Phase, RequestSwap
from spark_common.errors import ModelNotReadyError, QuarantinedError, UnknownModelError
from spark_common.events import SwapComplete, SwapFailed, SwapProgress
from spark_common.subjects import swap_complete, swap_failed
from spark_swapper.jobs import MAIN_LINE


@pytest_asyncio.fixture
async def running(bench):
    """Yield a function that starts the loops of a swapper; the returned one kills them."""
    tasks = []

    def start(*, again=False):
        if again:
            bench.start()
        loops = (bench.teller, bench.worker, bench.cancelling, bench.sweeping)
        mine = [asyncio.create_task(loop.run()) for loop in loops]
        tasks.extend(mine)

        async def kill():
            for task in mine:
                task.cancel()
            await asyncio.gather(*mine, return_exceptions=True)

        return kill

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def request(bench, model="qwen", **more):
    more.setdefault("id", "swap-1")
    return await bench.admission.request(RequestSwap(model=model, **more))


def outcome(bench, swap_id="swap-1"):
    events = [
        message
        for message in bench.broker.stream("SC_SWAP_EVT").messages.values()
        if message.subject in (swap_complete(swap_id), swap_failed(swap_id))
    ]
    assert len(events) <= 1
    if not events:
        return None
    kind = SwapComplete if events[0].subject.startswith("swap.complete") else SwapFailed
    return kind.model_validate(events[0].envelope.data)


def pending(bench):
    return bench.broker.stream("SC_SWAP_CMD").consumer("swapper").pending


async def over(bench, swap_id="swap-1"):
    await bench.until(lambda: outcome(bench, swap_id) is not None)
    await bench.until(lambda: bench.worker.running is None)
    return await bench.store.get(swap_id)


async def test_an_admitted_swap_is_carried_out_told_recorded_and_acknowledged(bench, running):
    running()
    await request(bench)
    job = await over(bench)
    assert (job.phase, job.over, job.attempt) == (Phase.READY, True, 1)
    told = outcome(bench)
    assert (told.model, told.served_name, told.previous) == ("qwen", "qwen-served", "gemma")
    assert set(told.phase_seconds) == {phase.value for phase in MAIN_LINE[:-1]}
    assert await bench.store.live() == []
    assert await bench.store.usual_seconds("qwen") == pytest.approx(told.total_seconds, abs=1)
    await bench.until(lambda: not pending(bench))


async def test_progress_comes_before_the_outcome(bench, running):
    running()
    await request(bench)
    await over(bench)
    assert bench.told()[-1].phase is Phase.WARMING


@pytest.mark.parametrize("phase", MAIN_LINE[1:-1])
async def test_killed_in_any_phase_the_next_worker_finishes_and_nothing_happens_twice(
    bench, running, effects, phase
):
    bench.runtime.busy_until = 10
    kill = running()
    await request(bench)
    if phase is Phase.WARMING:
        bench.runtime.faults.no_token = "HTTP 503"
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is phase)
    await kill()
    bench.runtime.faults.no_token = None
    running(again=True)
    job = await over(bench)
    assert (job.phase, job.attempt, job.serving) == (Phase.READY, 2, "qwen")
    assert effects() == ["stop@spark1", "launch@spark1"]
    numbers = [event.n for event in bench.told()]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("phase", [Phase.STOPPING, Phase.LAUNCHING, Phase.LOADING])
async def test_killed_while_redis_was_away_the_cluster_says_how_far_it_was(
    bench, running, effects, phase
):
    kill = running()
    await request(bench)
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.PREFLIGHT)
    bench.store.away = True
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is phase)
    await bench.clock.advance(3)
    await kill()
    bench.store.away = False
    assert (await bench.store.get("swap-1")).phase is Phase.PREFLIGHT
    running(again=True)
    job = await over(bench)
    assert (job.phase, job.serving) == (Phase.READY, "qwen")
    assert effects() == ["stop@spark1", "launch@spark1"]


async def test_killed_in_a_rollback_the_way_back_is_finished_once(bench, running, effects):
    bench.runtime.faults.dies_after, bench.runtime.faults.only_for = 20, "qwen"
    bench.runtime.faults.last_words = "FATAL out of memory"
    kill = running()
    await request(bench, rollback=True)
    await bench.until(
        lambda: (
            getattr(bench.worker.running, "phase", None) is Phase.ROLLING_BACK
            and bench.runtime.loaded == "gemma"
        )
    )
    await kill()
    running(again=True)
    job = await over(bench)
    assert (job.phase, job.serving, job.cause.code) == (Phase.ROLLED_BACK, "gemma", "out_of_memory")
    assert outcome(bench).outcome == "rolled_back"
    assert effects().count("rollback-launch@spark1") == 1


async def test_killed_while_clearing_up_the_first_cause_is_kept(bench, running):
    bench.runtime.faults.dies_after = 20
    bench.runtime.faults.last_words = "FATAL out of memory"
    kill = running()
    await request(bench)
    await bench.until(
        lambda: "clear@spark1" in [f"{s}@{h}" for _, h, _, s in bench.runtime.journal]
    )
    await kill()
    running(again=True)
    job = await over(bench)
    assert (job.phase, job.cause.code) == (Phase.FAILED, "out_of_memory")


async def test_the_fourth_delivery_is_not_tried_but_told(bench, running, effects):
    await request(bench)
    bench.runtime.load_seconds = 500
    for _ in range(3):
        kill = running(again=True)
        await bench.until(lambda: bench.worker.running is not None)
        await bench.until(lambda: bench.worker.running.phase is Phase.LOADING)
        await kill()
    running(again=True)
    job = await over(bench)
    assert (job.phase, job.cause.code, job.attempt) == (Phase.FAILED, "poison", 4)
    assert job.message.endswith("What runs there now is not known.")
    assert effects().count("launch@spark1") == 1
    await bench.until(lambda: not pending(bench))


async def test_a_fenced_worker_ends_its_process_and_acknowledges_nothing(bench, running, effects):
    running()
    bench.runtime.busy_until = 10
    await request(bench)
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.DRAINING)
    bench.runtime.raise_guard(fence=50)
    await bench.until(lambda: bench.deaths == 1)
    assert effects() == []
    assert outcome(bench) is None
    assert pending(bench)


async def test_the_next_start_claims_a_higher_fence_than_any_spark_has_seen(bench, running):
    bench.runtime.raise_guard(fence=50)
    running()
    await request(bench)
    assert (await over(bench)).phase is Phase.READY
    assert bench.runtime._fence["spark1"] == 51


async def test_a_cancel_that_ends_the_swap_just_before_the_claim_wins(bench, running, effects):
    await request(bench)
    asked = bench.store.cancel_requested

    async def slow(swap_id):
        by = await asked(swap_id)
        if by is None:
            await bench.cancelling._end_queued(swap_id, "Bob")
        return by

    bench.store.cancel_requested = slow
    running()
    await bench.until(lambda: outcome(bench) is not None)
    await bench.until(lambda: not pending(bench))
    assert (outcome(bench).outcome, bench.deaths, effects()) == ("cancelled", 0, [])


async def test_a_lease_taken_before_the_start_refuses_the_swap(bench, running, effects):
    await request(bench)
    bench.gate.take("nightly-batch", "secret")
    running()
    job = await over(bench)
    assert (job.phase, job.cause.code, job.serving) == (Phase.FAILED, "lease_held", "gemma")
    assert effects() == []


async def test_the_holder_of_the_lease_may_swap(bench, running):
    bench.gate.take("nightly-batch", "secret")
    await request(bench, lock_token="secret")
    running()
    assert (await over(bench)).phase is Phase.READY


async def test_an_outcome_that_stands_is_not_repeated_when_redis_lost_everything(
    bench, running, effects
):
    running()
    await request(bench)
    await over(bench)
    bench.store.forget()
    bench.broker.stream("SC_SWAP_CMD").consumer("swapper").next_seq = 1
    bench.broker.touch()
    await bench.clock.advance(30)
    assert effects() == ["stop@spark1", "launch@spark1"]
    assert not pending(bench)
    assert bench.worker.running is None


async def test_lost_records_a_repeated_request_and_its_old_command_change_nothing(
    bench, running, effects
):
    running()
    await request(bench, rollback=True)
    await over(bench)
    await request(bench, "gemma", id="swap-2")
    await over(bench, "swap-2")
    before = effects()
    bench.store.forget()
    assert (await request(bench, rollback=True)).phase is Phase.QUEUED
    bench.broker.stream("SC_SWAP_CMD").consumer("swapper").next_seq = 1
    bench.broker.touch()
    await bench.until(lambda: not pending(bench))
    await bench.clock.advance(30)
    assert effects() == before
    assert (await bench.store.get("swap-1")).phase is Phase.READY
    assert await bench.store.live() == []
    assert bench.runtime.loaded == "gemma"


async def test_a_long_outage_in_the_middle_of_stopping_gives_the_stop_its_time_again(
    bench, running
):
    bench.runtime.faults.never_stops = True
    kill = running()
    await request(bench)
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.STOPPING)
    await kill()
    await bench.clock.advance(600)
    bench.runtime.faults.never_stops = False
    bench.runtime._container.stop_at = bench.clock.monotonic() + 20
    running(again=True)
    assert (await over(bench)).phase is Phase.READY


async def test_a_swap_whose_record_is_lost_is_rebuilt_from_its_command(bench, running):
    await request(bench, rollback=True)
    bench.store.forget()
    running()
    job = await over(bench)
    assert (job.phase, job.model_name, job.rollback) == (Phase.READY, "QWEN", True)


async def test_lost_records_and_a_kill_in_the_middle_still_launch_once(bench, running, effects):
    kill = running()
    await request(bench)
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.LOADING)
    await kill()
    bench.store.forget()
    running(again=True)
    assert (await over(bench)).phase is Phase.READY
    assert effects() == ["stop@spark1", "launch@spark1"]


async def test_redis_away_at_the_start_is_waited_for(bench, running):
    await request(bench)
    bench.store.away = True
    running()
    await bench.clock.advance(60)
    assert outcome(bench) is None
    bench.store.away = False
    job = await over(bench)
    assert (job.phase, job.attempt) == (Phase.READY, 1)


async def test_the_end_is_recorded_late_when_redis_was_away(bench, running):
    running()
    await request(bench)
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.LOADING)
    bench.store.away = True
    await bench.until(lambda: outcome(bench) is not None)
    assert pending(bench)
    bench.store.away = False
    job = await over(bench)
    assert job.phase is Phase.READY
    await bench.until(lambda: not pending(bench))


async def test_the_bus_away_in_the_middle_does_not_stop_a_swap(bench, running):
    running()
    await request(bench)
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.LOADING)
    bench.broker.down()
    await bench.clock.advance(120)
    assert bench.runtime.loaded == "qwen"
    bench.broker.up()
    assert (await over(bench)).phase is Phase.READY


async def test_another_outcome_that_stands_wins(bench, running):
    running()
    await request(bench)
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.LOADING)
    job = bench.worker.running
    cancelled = job.enter(Phase.CANCELLED, bench.clock.now(), "x")
    await bench.outcomes.publish(cancelled)
    await bench.until(lambda: bench.worker.running is None)
    assert (await bench.store.get("swap-1")).phase is Phase.CANCELLED
    assert outcome(bench).outcome == "cancelled"


async def test_a_queued_swap_waits_and_then_runs(bench, running):
    running()
    await request(bench, id="one")
    view = await request(bench, "gemma", id="two", when_busy="queue")
    assert view.phase is Phase.QUEUED
    assert (await over(bench, "one")).phase is Phase.READY
    assert (await over(bench, "two")).phase is Phase.READY
    assert bench.runtime.loaded == "gemma"


async def test_a_model_that_is_gone_by_its_turn_fails_with_the_shelfs_words(bench, running):
    await request(bench)
    bench.shelf.broken = ModelNotReadyError("QWEN is not complete on any Spark")
    running()
    job = await over(bench)
    assert (job.phase, job.cause.code) == (Phase.FAILED, "model_not_ready")
    assert job.cause.sentence == "QWEN is not complete on any Spark."


async def test_what_is_no_command_is_dropped_and_the_queue_moves_on(bench, running):
    bench.broker.store("swap.requested.junk", b"{]", "junk")
    await request(bench)
    running()
    assert (await over(bench)).phase is Phase.READY
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


async def test_whoever_heard_the_end_sees_it_although_the_record_is_late(bench, running):
    running()
    await request(bench)
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.LOADING)
    bench.store.away = True
    await bench.until(lambda: outcome(bench) is not None)
    view = await bench.handlers.get_swap(GetSwap(id="swap-1"))
    assert (view.phase, view.finished_at is not None) == (Phase.READY, True)
    bench.store.away = False
    assert (await over(bench)).phase is Phase.READY


@pytest.mark.parametrize(
    "error",
    [
        UnknownModelError("there is no model 'qwen' on the menu any more"),
        QuarantinedError("QWEN took Spark 1 down; clear it first"),
        ModelNotReadyError("QWEN is not complete on any Spark"),
    ],
)
async def test_a_queued_swap_whose_model_went_away_fails_truthfully(bench, running, effects, error):
    running()
    bench.runtime.busy_until = 20
    await request(bench, "minimax", id="first")
    await bench.clock.advance(1)
    await request(bench, id="second", when_busy="queue")
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.LOADING)
    bench.shelf.broken = error
    await bench.until(lambda: outcome(bench, "first") is not None)
    await bench.until(lambda: outcome(bench, "second") is not None)
    bench.shelf.broken = None
    told = outcome(bench, "second")
    assert (told.outcome, told.cause.code, told.serving) == ("failed", error.code, "minimax")
    assert told.cause.sentence == f"{error.message[0].upper()}{error.message[1:]}."
    assert bench.runtime.loaded == "minimax"
    assert not [effect for effect in bench.runtime.journal if effect[2] == "second"]


async def test_queued_swaps_run_in_the_order_they_were_asked_for(bench, running):
    running()
    order = ["qwen", "gemma", "minimax", "qwen"]
    for number, model in enumerate(order):
        await request(bench, model, id=f"swap-{number}", when_busy="queue")
        await bench.clock.advance(1)
    await bench.until(lambda: outcome(bench, "swap-3") is not None)
    ends = [outcome(bench, f"swap-{number}") for number in range(4)]
    assert [(end.model, end.previous) for end in ends] == [
        ("qwen", "gemma"),
        ("gemma", "qwen"),
        ("minimax", "gemma"),
        ("qwen", "minimax"),
    ]
    finished = [end.finished_at for end in ends]
    assert finished == sorted(finished)


async def test_after_a_swap_the_log_is_closed_and_the_menu_is_looked_at_again(bench, running):
    running()
    await request(bench)
    await over(bench)
    assert (bench.logs.closed, bench.shelf.refreshes) == (["swap-1"], 1)
    assert "asked for by someone, attempt 1" in (await bench.logs.read("swap-1")).lines[0]


async def test_a_swap_with_force_keeps_it_when_its_record_is_lost(bench, running):
    bench.clients.busy_until = 1e9
    bench.clients.swap_id = "swap-1"
    await request(bench, force=True)
    bench.store.forget()
    running()
    job = await over(bench)
    assert (job.phase, job.force) == (Phase.READY, True)


async def test_a_degraded_model_is_told_with_the_outcome(bench, running):
    bench.runtime.faults.babble, bench.runtime.faults.only_for = "!" * 80, "qwen"
    running()
    await request(bench)
    job = await over(bench)
    told = outcome(bench)
    assert told.degraded == job.degraded
    assert "gibberish" in told.degraded
    assert bench.observer.view().state == "degraded"
