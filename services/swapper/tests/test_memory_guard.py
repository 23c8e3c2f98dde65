"""A swap whose memory does not come back, runs out, or takes the Spark down; on fakes."""

import asyncio
from dataclasses import replace

import pytest

from spark_common.contracts.plans import ClearQuarantine, Quarantine
from spark_common.contracts.swaps import Phase, RequestSwap
from spark_common.errors import QuarantinedError, UnknownModelError
from spark_swapper.guarding.headroom import GIB, NodeMemory
from spark_swapper.settings import GuardSettings

TOTAL = 128 * GIB
"""The fakes have so much; a model that names no share wants 0.9 of it: 115.2 GB."""


def reason(view_or_job) -> str:
    cause = view_or_job.cause
    return f"{cause.code}: {cause.sentence}" if cause else "none"


async def test_memory_that_is_short_beyond_doubt_leaves_the_old_model_serving(bench, effects):
    bench.runtime.memory.node = NodeMemory(TOTAL, 30 * GIB, 60 * GIB, 68 * GIB)
    job = await bench.swap()
    assert (job.phase, job.serving, effects()) == (Phase.FAILED, "gemma", [])
    assert job.cause.code == "not_enough_memory"
    assert "30.0 GB are available" in job.cause.sentence
    assert "27.2 GB are missing" in job.cause.sentence
    assert "Spark 1" in job.cause.action


async def test_memory_nobody_can_tell_is_only_a_doubt(bench):
    bench.runtime.memory.node = NodeMemory(TOTAL, 30 * GIB, None, None)
    job = await bench.swap()
    assert job.phase is Phase.READY
    assert any("not certain" in line for event in bench.told() for line in event.lines)


async def test_every_spark_of_a_cluster_model_has_to_have_the_memory(bench, effects):
    asked = []
    check = bench.runtime.check

    async def answer(candidate, host):
        asked.append(host)
        bench.runtime.memory.node = NodeMemory(TOTAL, 128 * GIB if host == "spark1" else 0, 0, 0)
        return await check(candidate, host)

    bench.runtime.check = answer
    job = await bench.swap(bench.wide)
    assert sorted(asked) == ["spark1", "spark2"]
    assert (job.cause.code, effects()) == ("not_enough_memory", [])
    assert "on Spark 2" in job.cause.sentence


async def test_memory_that_comes_back_late_is_waited_for_before_the_launch(bench, effects):
    bench.runtime.memory.returns((0, 20), (24, 60), (40, 124))
    job = await bench.swap()
    assert job.phase is Phase.READY
    stopping = next(mark for mark in job.phases if mark.phase is Phase.STOPPING)
    assert stopping.seconds >= 25
    waited = [event.message for event in bench.told() if "memory back" in event.message]
    assert any("60.0 GB of 117.2 GB are available" in message for message in waited)


@pytest.mark.parametrize("rollback", [False, True])
async def test_memory_that_does_not_come_back_fails_with_numbers_before_the_launch(
    bench, effects, rollback
):
    bench.runtime.memory.returns((0, 20), (16, 60), (100, 124))
    job = await bench.swap(attempt=bench.attempt(bench.job(rollback=rollback)))
    assert "launch@spark1" not in effects()
    assert job.cause.code == "not_enough_memory"
    assert "only 60.0 GB are available" in job.cause.sentence
    assert rollback or job.message.endswith(
        "The GPU is empty now. Press 'Switch to this' on any card."
    )
    # It stopped rising after 16 s: nobody waits the whole minute for it.
    stopping = next(mark for mark in job.phases if mark.phase is Phase.STOPPING)
    assert stopping.seconds < 50
    assert job.phase is (Phase.ROLLED_BACK if rollback and job.serving else Phase.FAILED)


async def test_memory_that_is_enough_but_has_no_reserve_is_tried(bench):
    bench.runtime.memory.returns((0, 116))
    job = await bench.swap()
    assert job.phase is Phase.READY


@pytest.mark.parametrize("rollback", [False, True])
async def test_a_load_that_is_eaten_up_is_killed_and_the_old_model_comes_back(
    bench, effects, rollback
):
    bench.runtime.memory.returns((0, 124))
    bench.runtime.faults.leak_per_second = 6 * GIB
    bench.runtime.faults.only_for = "qwen"
    job = await bench.swap(attempt=bench.attempt(bench.job(rollback=rollback)))
    assert (job.phase, job.serving) == (Phase.ROLLED_BACK, "gemma"), reason(job)
    assert job.cause.code == "low_memory_aborted"
    assert "Spark 1" in job.cause.sentence
    assert effects()[:3] == ["stop@spark1", "launch@spark1", "kill@spark1"]
    assert effects()[-1] == "rollback-launch@spark1"
    back = next(event for event in bench.told() if event.phase is Phase.ROLLING_BACK)
    assert ("as always" in back.message) is not rollback
    assert "Bringing gemma-served back" in back.message


async def test_a_load_ended_for_its_memory_with_nothing_before_it_leaves_an_empty_gpu(bench):
    bench.runtime._container = None
    bench.runtime.memory.returns((0, 124))
    bench.runtime.faults.leak_per_second = 6 * GIB
    job = await bench.swap()
    assert (job.phase, job.serving, job.cause.code) == (Phase.FAILED, None, "low_memory_aborted")
    assert "The GPU is empty now" in job.message


async def test_the_watch_can_be_turned_off(bench):
    bench.guarding = GuardSettings(memory_floor_gb=0)
    bench.start()
    bench.runtime.memory.returns((0, 124))
    bench.runtime.faults.leak_per_second = 6 * GIB
    assert (await bench.swap()).phase is Phase.READY


async def frozen(bench, *, reboot_seconds: float) -> None:
    """Let every load of qwen take its Spark down."""
    bench.runtime.memory.returns((0, 124))
    faults = bench.runtime.faults
    faults.leak_per_second, faults.freezes_below = 40 * GIB, 20 * GIB
    faults.reboot_seconds, faults.only_for = reboot_seconds, "qwen"


async def test_a_model_whose_load_restarted_its_spark_is_in_quarantine(bench, effects):
    await frozen(bench, reboot_seconds=30)
    job = await bench.swap()
    assert job.cause.code == "host_went_down", reason(job)
    assert "Spark 1 went down and was started anew" in job.cause.sentence
    held = await bench.quarantining.of("qwen")
    assert (held.host, held.swap_id) == ("spark1", "swap-1")
    assert job.phase is Phase.FAILED


async def test_a_spark_that_stays_silent_after_its_memory_ran_out_counts_as_down(bench):
    await frozen(bench, reboot_seconds=100_000)
    job = await bench.swap()
    assert job.cause.code == "host_went_down"
    assert "has not answered for 1" in job.cause.sentence
    assert await bench.quarantining.of("qwen") is not None
    # Long before the deadline of a load.
    assert job.total_seconds(job.finished_at) < 600


async def test_a_spark_that_is_silent_with_memory_to_spare_is_waited_for(bench):
    bench.runtime.memory.returns((0, 124))
    bench.runtime.load_seconds = 60

    async def away_for_minutes():
        await bench.until(lambda: any(e.phase is Phase.LOADING for e in bench.told()))
        bench.runtime.faults.away.add("spark1")
        for _ in range(600):
            await bench.clock.advance(0.5)
        bench.runtime.faults.away.clear()

    job = await bench.swap(meanwhile=away_for_minutes)
    assert job.phase is Phase.READY
    assert await bench.quarantining.of("qwen") is None


async def test_a_network_that_fails_for_every_spark_is_no_spark_that_went_down(bench):
    """The memory was running out as planned when our own network failed for minutes."""
    bench.runtime.memory.returns((0, 124), (20, 30), (22, 12))
    bench.runtime.load_seconds = 400

    async def network_away_for_minutes():
        await bench.until(lambda: bench.clock.monotonic() >= 24)
        bench.runtime.faults.away |= {"spark1", "spark2"}
        for _ in range(600):
            await bench.clock.advance(0.5)
        bench.runtime.faults.away.clear()

    job = await bench.swap(meanwhile=network_away_for_minutes)
    assert await bench.quarantining.of("qwen") is None
    assert job.phase is Phase.READY, reason(job)


async def warming_slowly(bench) -> None:
    """Let the first answer take minutes, while something eats the memory after the load."""
    bench.runtime.memory.returns((0, 124))
    bench.clients.answer_seconds = bench.runtime.token_seconds = 250
    bench.runtime.faults.leak_per_second, bench.runtime.faults.only_for = 1 * GIB, "qwen"


async def test_a_first_answer_that_eats_the_memory_is_ended_like_a_load(bench, effects):
    await warming_slowly(bench)
    job = await bench.swap()
    assert (job.phase, job.serving, job.failed_in) == (Phase.ROLLED_BACK, "gemma", Phase.WARMING)
    assert job.cause.code == "low_memory_aborted"
    assert effects()[:3] == ["stop@spark1", "launch@spark1", "kill@spark1"]


async def test_a_first_answer_that_takes_its_spark_down_is_a_quarantine(bench):
    await warming_slowly(bench)
    bench.runtime.faults.freezes_below, bench.runtime.faults.reboot_seconds = 20 * GIB, 60
    job = await bench.swap()
    assert (job.cause.code, job.failed_in) == ("host_went_down", Phase.WARMING), reason(job)
    assert (await bench.quarantining.of("qwen")).host == "spark1"


async def test_a_model_that_served_before_the_swap_is_not_killed_for_its_memory(bench, effects):
    bench.runtime.serve(bench.new)
    bench.runtime.memory.returns((0, 2))
    bench.clients.answer_seconds = 60
    job = await bench.swap()
    assert (job.phase, effects()) == (Phase.READY, [])


async def test_a_new_worker_holds_a_load_to_the_plan_it_began_with(bench):
    """What a recipe plans to leave is known from what there was before its load."""
    greedy = replace(bench.new, vllm_argv=("org/qwen", "--gpu-memory-utilization=0.95"))
    bench.runtime.memory.returns((0, 124.5), (20, 2))
    attempt = bench.attempt()
    running = asyncio.create_task(bench.runner.run(attempt, greedy))
    await bench.until(lambda: bool(attempt.journal.job.memory_before))
    await bench.until(lambda: bench.clock.monotonic() >= 24)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    again = bench.attempt(attempt.journal.job.model_copy(update={"attempt": 2}), fence=2)
    job = await bench.swap(greedy, attempt=again)
    assert job.phase is Phase.READY, reason(job)


async def test_a_new_worker_knows_the_boot_it_began_with(bench):
    bench.runtime.memory.returns((0, 124))
    attempt = bench.attempt()
    running = asyncio.create_task(bench.runner.run(attempt, bench.new))
    await bench.until(lambda: bool(attempt.journal.job.boots))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert attempt.journal.job.boots == {"spark1": "boot-1"}
    bench.runtime._boots["spark1"] = 2
    bench.runtime._container = None
    again = bench.attempt(attempt.journal.job.model_copy(update={"attempt": 2}), fence=2)
    job = await bench.swap(attempt=again)
    assert job.cause.code == "host_went_down"


async def held(bench, key="qwen") -> None:
    await bench.quarantining.put(key, "Spark 1 went down while it was loading.", "spark1", "old")


async def test_a_quarantined_model_is_refused_until_a_person_clears_it(bench):
    await bench.observer.look()
    await held(bench)
    with pytest.raises(QuarantinedError) as refused:
        await bench.admission.request(RequestSwap(model="qwen"))
    assert "Clear quarantine" in refused.value.message
    assert refused.value.details["host"] == "spark1"
    planning = asyncio.create_task(bench.admission.request(RequestSwap(model="qwen", dry_run=True)))
    await bench.until(planning.done)
    plan = await planning
    assert plan.cause.code == "quarantined"
    cleared = await bench.guard_verbs.clear_quarantine(ClearQuarantine(model="qwen"))
    assert cleared.was.reason == "Spark 1 went down while it was loading."
    again = await bench.guard_verbs.clear_quarantine(ClearQuarantine(model="qwen"))
    assert (again.model, again.was) == ("qwen", None)
    assert (await bench.admission.request(RequestSwap(model="qwen"))).phase is Phase.QUEUED
    with pytest.raises(UnknownModelError):
        await bench.guard_verbs.clear_quarantine(ClearQuarantine(model="nobody"))


async def test_a_swap_that_waited_in_the_queue_meets_the_quarantine_too(bench, effects):
    await held(bench)
    job = await bench.swap()
    assert (job.cause.code, effects(), job.serving) == ("quarantined", [], "gemma")


async def test_the_way_back_never_loads_a_quarantined_model(bench, effects):
    await held(bench, "gemma")
    bench.runtime.faults.dies_after = 5
    bench.runtime.faults.only_for = "qwen"
    job = await bench.swap(attempt=bench.attempt(bench.job(rollback=True)))
    assert (job.phase, job.serving) == (Phase.FAILED, None)
    assert "rollback-launch@spark1" not in effects()
    # Nor does a worker that finds itself on the way back already.
    back = bench.job(swap_id="two", previous="gemma", previous_name="gemma-served", attempt=2)
    for phase in (Phase.PREFLIGHT, Phase.DRAINING, Phase.STOPPING, Phase.ROLLING_BACK):
        back = back.enter(phase, bench.clock.now(), "")
    job = await bench.swap(attempt=bench.attempt(back))
    assert job.phase is Phase.FAILED
    assert "in quarantine" in job.cause.sentence
    assert "rollback-launch@spark1" not in effects()


async def test_a_quarantine_counts_while_redis_is_away_and_is_written_when_it_is_back(bench):
    bench.records.away = True
    await held(bench)
    assert (await bench.quarantining.of("qwen")).host == "spark1"
    assert (await bench.quarantining.shown(["qwen"]))["qwen"].quarantine is not None
    bench.records.away = False
    assert (await bench.quarantining.of("qwen")).host == "spark1"
    assert (await bench.records.notes(["qwen"]))["qwen"].quarantine is not None


async def test_the_first_reason_stays(bench):
    await held(bench)
    await bench.quarantining.put("qwen", "Another reason.", "spark2", "later")
    assert (await bench.quarantining.of("qwen")).swap_id == "old"
    await bench.records.quarantine("qwen", Quarantine(reason="x", since="y"))
    assert (await bench.quarantining.of("qwen")).swap_id == "old"


@pytest.mark.parametrize(("asked", "always"), [(True, False), (False, True), (False, False)])
async def test_the_page_cache_is_emptied_when_asked_before_anything_stops(
    bench, effects, asked, always
):
    if always:
        bench.guarding = GuardSettings(drop_caches=True)
        bench.start()
    job = await bench.swap(attempt=bench.attempt(bench.job(drop_caches=asked)))
    assert job.phase is Phase.READY
    flushed = effects().count("flush@spark1")
    assert flushed == (1 if asked or always else 0)
    if asked:
        assert effects()[0] == "flush@spark1"
        lines = [line for event in bench.told() for line in event.lines]
        assert any("Page cache of Spark 1" in line for line in lines)


async def test_a_page_cache_that_cannot_be_emptied_is_a_line_and_no_end(bench):
    async def broken(order, candidate, host):
        raise UnknownModelError("the guard is out of order")

    bench.runtime.flush = broken
    job = await bench.swap(attempt=bench.attempt(bench.job(drop_caches=True)))
    assert job.phase is Phase.READY
    lines = [line for event in bench.told() for line in event.lines]
    assert any("was not emptied: the guard is out of order" in line for line in lines)


async def test_a_request_to_empty_the_page_cache_reaches_the_worker(bench):
    view = await bench.admission.request(RequestSwap(model="qwen", drop_caches=True, id="one"))
    assert view.phase is Phase.QUEUED
    assert (await bench.store.get("one")).drop_caches
    (command,) = bench.broker.stream("SC_SWAP_CMD").messages.values()
    assert command.envelope.data["drop_caches"] is True
