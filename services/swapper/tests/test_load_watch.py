"""A load is watched on every Spark: who died, who hangs, who is only silent."""

from dataclasses import replace

import pytest

from spark_common.contracts.swaps import Phase
from spark_swapper.loads.deadlines import GIB
from spark_swapper.loads.post_mortem import KernelWords


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
