"""Starting the loaded model afresh: admitted, really stopped and started, never taken for done."""

import asyncio

import pytest

from spark_common.contracts.swaps import Phase, RequestSwap
from spark_common.errors import AlreadyLoadedError
from spark_swapper import runtime
from spark_swapper.driving import settle
from spark_swapper.records.jobs import MAIN_LINE


async def test_the_loaded_model_is_let_through_and_the_command_carries_it(bench):
    await bench.observer.look()
    with pytest.raises(AlreadyLoadedError):
        await bench.admission.request(RequestSwap(model="gemma"))
    view = await bench.admission.request(RequestSwap(model="gemma", reload=True, id="one"))
    assert (view.phase, view.previous) == (Phase.QUEUED, "gemma")
    assert (await bench.store.get("one")).reload
    (command,) = bench.broker.stream("SC_SWAP_CMD").messages.values()
    assert command.envelope.data["reload"] is True


async def test_it_is_stopped_and_started_by_the_worker(bench, effects):
    await bench.observer.look()
    working = asyncio.create_task(bench.worker.run())
    try:
        await bench.admission.request(RequestSwap(model="gemma", reload=True, id="one"))

        def over():
            return bench.broker.stream("SC_SWAP_EVT").last("swap.complete.one") is not None

        await bench.until(over)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    job = await bench.store.get("one")
    assert (job.phase, job.serving, job.previous) == (Phase.READY, "gemma", "gemma")
    assert [mark.phase for mark in job.phases] == list(MAIN_LINE)
    assert effects() == ["stop@spark1", "launch@spark1"]


async def test_an_answer_that_is_being_written_is_waited_for(bench, effects):
    bench.runtime.busy_until = 8
    job = await bench.swap(bench.old, attempt=bench.attempt(of_the_old(bench)))
    assert (job.phase, effects()) == (Phase.READY, ["stop@spark1", "launch@spark1"])
    assert job.phase_seconds()["draining"] == pytest.approx(8, abs=1.5)


async def test_when_it_does_not_come_back_the_gpu_is_said_to_be_empty(bench):
    bench.runtime.faults.dies_after = 5
    job = await bench.swap(bench.old, attempt=bench.attempt(of_the_old(bench)))
    assert (job.phase, job.serving) == (Phase.FAILED, None)
    assert job.message.startswith(job.cause.sentence)


async def test_with_a_way_back_it_is_tried_once_more(bench, effects):
    bench.runtime.faults.dies_after = 5

    async def heal():
        await bench.until(lambda: "launch@spark1" in effects(), 200)
        await bench.until(lambda: bench.runtime.loaded is None or "clear@spark1" in effects(), 200)
        bench.runtime.faults.dies_after = None

    attempt = bench.attempt(of_the_old(bench).model_copy(update={"rollback": True}))
    job = await bench.swap(bench.old, attempt=attempt, meanwhile=heal)
    assert (job.phase, job.serving) == (Phase.ROLLED_BACK, "gemma")
    assert "is serving again" in job.message
    assert effects().count("rollback-launch@spark1") == 1


async def test_a_dry_run_says_that_it_would_be_stopped_and_started(bench):
    plain = await planned(bench, RequestSwap(model="gemma", dry_run=True))
    view = await planned(bench, RequestSwap(model="gemma", dry_run=True, reload=True))
    assert plain.cause.code == "already_loaded"
    assert view.cause is None
    assert any(step.startswith("Stop gemma-served") for step in view.plan)
    assert bench.runtime.journal == []


@pytest.mark.parametrize(
    ("died_in", "seen", "then"),
    [
        (Phase.DRAINING, (), ["stop", "launch"]),
        (Phase.STOPPING, (), ["stop", "launch"]),
        (Phase.LAUNCHING, (runtime.STOP, runtime.LAUNCH), []),
        (Phase.LOADING, (runtime.STOP, runtime.LAUNCH), []),
    ],
)
async def test_a_new_worker_does_not_take_the_old_one_for_the_new_one(
    bench, died_in, seen, then, effects
):
    job = of_the_old(bench)
    for phase in MAIN_LINE[1 : MAIN_LINE.index(died_in) + 1]:
        job = job.enter(phase, bench.clock.now(), "…")
    job = job.model_copy(update={"attempt": 2})
    bench.runtime.mark("swap-1", "spark1", *seen)
    attempt = bench.attempt(job)
    await settle.catch_up(attempt, bench.runtime)
    await settle.skip_what_is_done(attempt, bench.runtime, bench.old)
    end = await bench.swap(bench.old, attempt=attempt)
    assert end.phase is Phase.READY
    assert [step.split("@")[0] for step in effects()] == then


def of_the_old(bench):
    facts = {"model": "gemma", "model_name": bench.old.name, "previous": "gemma", "reload": True}
    return bench.job(**facts, previous_name="gemma-served")


async def planned(bench, request):
    planning = asyncio.create_task(bench.admission.request(request))
    await bench.until(planning.done)
    return await planning
