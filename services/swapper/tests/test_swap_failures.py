"""Every way a swap goes wrong: its cause, what serves then, and the way back."""

import pytest

from spark_common.contracts.swaps import Phase
from spark_common.errors import HostKeyChangedError, HostUnreachableError
from spark_swapper.ports import PreflightResult
from spark_swapper.runtime import Finding, HostCheck

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
