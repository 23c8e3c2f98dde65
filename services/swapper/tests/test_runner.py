"""The story of a swap, and every way it can go wrong."""

import asyncio
from dataclasses import replace

import pytest

from spark_common.contracts.swaps import Phase
from spark_common.errors import HostKeyChangedError, HostUnreachableError
from spark_swapper.deadlines import GIB
from spark_swapper.jobs import MAIN_LINE
from spark_swapper.ports import PreflightResult
from spark_swapper.post_mortem import KernelWords
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
    assert effects() == ["stop@spark1", "stop@spark2", "launch@spark1"]


async def test_the_eta_comes_from_earlier_swaps_and_else_from_the_running_load(bench):
    job = bench.job(usual_seconds=100.0)
    running = asyncio.create_task(bench.swap(attempt=bench.attempt(job)))
    await bench.until(running.done)
    etas = [event.eta_seconds for event in bench.told() if event.percent == 50.0]
    assert etas
    assert 30 <= etas[0] <= 70


FAILURES = {
    "bad arguments": "bad_arguments",
    "host problem": "host_not_fit",
    "host away before": "host_unreachable",
    "host key changed": "host_key_changed",
    "images differ": "images_differ",
    "never stops": "not_stopped",
    "docker silent": "not_stopped",
    "starts nothing": "launch_failed",
    "dies with a reason": "out_of_memory",
    "worker dies with a reason": "out_of_memory",
    "dies silently": "runtime_died",
    "fatal words, process lives": "out_of_memory",
    "stall": "stalled",
    "too slow": "load_deadline",
    "no token": "no_first_token",
}
UNTOUCHED_FAILURES = {
    "bad arguments",
    "host problem",
    "host away before",
    "host key changed",
    "images differ",
}


WIDE = {"images differ", "worker dies with a reason"}
NO_IMAGE = Finding("image", "bad", "No image.")
FAULTS = {
    "host problem": {"problems": {"spark1": HostCheck("spark1", (NO_IMAGE,))}},
    "host away before": {"problems": {"spark1": HostUnreachableError("Spark 1 is away")}},
    "host key changed": {"problems": {"spark1": HostKeyChangedError("another key")}},
    "images differ": {"problems": {"spark2": HostCheck("spark2", image_id="sha256:2")}},
    "never stops": {"never_stops": True},
    "docker silent": {"docker_silent": {"spark1"}},
    "starts nothing": {"starts_nothing": True},
    "dies with a reason": {"dies_after": 20, "last_words": "FATAL out of memory"},
    "worker dies with a reason": {"dies_after": 20, "worker_last_words": "FATAL out of memory"},
    "dies silently": {"dies_after": 20},
    "fatal words, process lives": {
        "says_fatal_but_lives": "FATAL out of memory",
        "silent_after": 30,
    },
    "stall": {"silent_after": 20},
    "no token": {"no_token": "HTTP 500"},
}


def break_it(bench, how):
    """Arrange a failure; return the candidate it concerns."""
    for name, value in FAULTS.get(how, {}).items():
        setattr(bench.runtime.faults, name, value)
    if how == "bad arguments":
        bench.preflight.result = PreflightResult("bad", "no such flag.", ("--foo",))
    if how == "too slow":
        bench.runtime.load_seconds = 5000
    return bench.wide if how in WIDE else bench.new


@pytest.mark.parametrize("how", FAILURES)
async def test_every_failure_ends_with_its_cause_and_the_truth(bench, effects, how):
    candidate = break_it(bench, how)
    job = await bench.swap(candidate)
    assert job.phase is Phase.FAILED
    assert job.cause.code == FAILURES[how]
    assert job.cause.sentence.endswith((".", "!")) or job.cause.code == "out_of_memory"
    assert job.cause.action
    assert job.failed_in is not None
    if how in UNTOUCHED_FAILURES:
        assert (job.serving, effects()) == ("gemma", [])
        assert "gemma-served is serving" in job.message
    elif how in ("never stops", "docker silent"):
        assert job.serving == "gemma"
    else:
        assert job.serving is None
        assert bench.runtime.loaded is None
        assert "The GPU is empty now. Press 'Switch to this'" in job.message


@pytest.mark.parametrize("how", [how for how in FAILURES if how not in UNTOUCHED_FAILURES])
async def test_asked_for_a_rollback_the_previous_model_serves_again(bench, effects, how):
    candidate = break_it(bench, how)
    bench.runtime.faults.only_for = candidate.key
    if how == "too slow":
        bench.timings = bench.timings.model_copy(update={"load_deadline_seconds": 50.0})
        bench.runtime.load_seconds = 55
        bench.start()
    job = await bench.swap(candidate, attempt=bench.attempt(bench.job(rollback=True)))
    if how in ("never stops", "docker silent"):
        assert (job.phase, job.serving) == (Phase.FAILED, "gemma")
        return
    assert job.cause.code.startswith(FAILURES[how])
    if how == "too slow":
        assert job.phase is Phase.FAILED
        assert "Putting gemma-served back failed too" in job.cause.sentence
        assert job.serving is None
        return
    assert (job.phase, job.serving) == (Phase.ROLLED_BACK, "gemma")
    assert bench.runtime.loaded == "gemma"
    assert "GEMMA is serving again" in job.message
    assert effects()[-1] == "rollback-launch@spark1"
    assert effects().count("rollback-launch@spark1") == 1


async def test_a_failure_before_anything_is_touched_rolls_nothing_back(bench, effects):
    break_it(bench, "bad arguments")
    job = await bench.swap(attempt=bench.attempt(bench.job(rollback=True)))
    assert (job.phase, job.serving, effects()) == (Phase.FAILED, "gemma", [])


async def test_a_rollback_that_fails_too_says_both(bench):
    bench.runtime.faults.dies_after = 20
    job = await bench.swap(attempt=bench.attempt(bench.job(rollback=True)))
    assert job.phase is Phase.FAILED
    assert "Putting gemma-served back failed too" in job.cause.sentence
    assert (job.serving, bench.runtime.loaded) == (None, None)


async def test_without_a_known_previous_model_there_is_no_way_back(bench):
    bench.runtime._container = None
    bench.runtime.faults.dies_after = 20
    job = await bench.swap(attempt=bench.attempt(bench.job(rollback=True)))
    assert (job.phase, job.serving) == (Phase.FAILED, None)


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


@pytest.mark.parametrize("seconds", [20, 59.5, 60.5])
async def test_a_worker_that_is_gone_fails_the_load_though_the_head_answers(bench, seconds):
    bench.runtime.faults.worker_gone_after = seconds
    if seconds > 60:
        bench.runtime.faults.no_token = "HTTP 503"
    job = await bench.swap(bench.wide)
    assert (job.phase, job.cause.code) == (Phase.FAILED, "runtime_died")
    assert "Spark 2" in job.cause.sentence
    # Not at a deadline, but as soon as it was certain.
    assert job.total_seconds(bench.clock.now()) < 120


async def test_what_the_kernel_saw_explains_a_death_without_a_word(bench):
    killed = "kernel: Out of memory: Killed process 6330 (VLLM::EngineCor)"
    bench.runtime.faults.worker_gone_after = 20
    bench.runtime.faults.kernel = {"spark2": KernelWords(True, (killed,))}
    job = await bench.swap(bench.wide)
    assert (job.phase, job.cause.code) == (Phase.FAILED, "out_of_memory_killed")
    assert job.cause.sentence.startswith("Spark 2 ran out of memory")
    assert job.cause.evidence[-1] == killed


async def test_one_busy_gpu_and_an_idle_one_are_called_a_hang_before_the_stall(bench):
    bench.runtime.faults.silent_after = 20
    bench.runtime.faults.gpus = {"spark1": 0, "spark2": 96}
    job = await bench.swap(bench.wide)
    assert (job.phase, job.cause.code) == (Phase.FAILED, "sparks_hang")
    assert "Spark 2 waits with a busy GPU while Spark 1 does nothing" in job.cause.sentence
    assert job.total_seconds(bench.clock.now()) < 400


async def test_a_large_model_may_take_longer_than_a_small_one(bench):
    bench.runtime.load_seconds = 1200
    job = await bench.swap(replace(bench.new, weight_bytes=100 * GIB))
    assert job.phase is Phase.READY
    job = await bench.swap(
        replace(bench.old, weight_bytes=10 * GIB),
        attempt=bench.attempt(bench.job("swap-2", model="gemma")),
    )
    assert (job.phase, job.cause.code) == (Phase.FAILED, "load_deadline")
    assert "980 s" in job.cause.sentence


async def test_a_silent_spark_is_waited_for_in_the_middle_of_a_load(bench):
    attempt = bench.attempt()

    async def silence():
        await bench.until(lambda: attempt.journal.job.phase is Phase.LOADING)
        bench.runtime.faults.away = {"spark1"}
        await bench.until(lambda: "SSH silent 12 s" in attempt.journal.job.message)
        bench.runtime.faults.away = set()

    job = await bench.swap(attempt=attempt, meanwhile=silence)
    assert job.phase is Phase.READY
    assert any(event.message == "waiting for Spark 1 (SSH silent 12 s)" for event in bench.told())


async def test_a_spark_that_stays_silent_fails_at_the_deadline_and_says_so(bench):
    attempt = bench.attempt()
    bench.runtime.load_seconds = 9999

    async def silence():
        await bench.until(lambda: attempt.journal.job.phase is Phase.LOADING)
        bench.runtime.faults.away = {"spark1"}

    job = await bench.swap(attempt=attempt, meanwhile=silence)
    assert (job.phase, job.cause.code) == (Phase.FAILED, "ssh_timeout")
    assert "The GPU is empty now" not in job.message
    assert job.phase_seconds()["loading"] == pytest.approx(1800 + 120, abs=5)


async def test_a_second_spark_that_is_off_does_not_hinder_a_solo_model(bench):
    bench.runtime.faults.away = {"spark2"}
    assert (await bench.swap()).phase is Phase.READY


async def test_a_lease_taken_while_draining_stops_the_swap_before_any_effect(bench, effects):
    bench.runtime.busy_until = 20
    attempt = bench.attempt()
    job = attempt.journal.job
    attempt.check_gate = lambda: bench.worker._check_gate_again(job)
    running = asyncio.create_task(bench.runner.run(attempt, bench.new))
    await bench.until(lambda: attempt.journal.job.phase is Phase.DRAINING)
    bench.gate.take("nightly-batch", "secret")
    await bench.until(running.done)
    ended = await running
    assert (ended.phase, ended.cause.code) == (Phase.FAILED, "lease_held")
    assert "'nightly-batch'" in ended.cause.sentence
    assert (ended.serving, effects()) == ("gemma", [])


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
