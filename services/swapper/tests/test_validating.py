"""Tests and plans of a swap nobody has asked for yet; on fakes."""

import asyncio
from dataclasses import replace

import pytest

from spark_common.contracts.plans import PlanSwap, ValidateModel
from spark_common.contracts.recipes import Knobs
from spark_common.contracts.swaps import Cause, Phase, RequestSwap
from spark_common.errors import (
    HostUnreachableError,
    InvalidRequestError,
    ModelNotReadyError,
    RemoteCommandError,
    UnknownModelError,
)
from spark_swapper.editing.trying import Trying
from spark_swapper.guarding.headroom import GIB, NodeMemory
from spark_swapper.guarding.remembering import load_result
from spark_swapper.launching.flags import merge_flags
from spark_swapper.launching.launch import LaunchSettings, plan_launch
from spark_swapper.ports import PreflightResult
from spark_swapper.recipes import Recipe, RecipeBook
from spark_swapper.runtime import Finding, HostCheck
from spark_swapper.testing import a_candidate

TOTAL = 128 * GIB


async def answered(bench, work):
    """Let time pass until an answer is there."""
    task = asyncio.ensure_future(work)
    await bench.until(task.done, 300)
    return task.result()


async def validate(bench, model="qwen", **more):
    question = ValidateModel(model=model, **more)
    return await answered(bench, bench.validating.validate(question))


async def plan(bench, model="qwen", **more):
    return await answered(bench, bench.planning.outlook(PlanSwap(model=model, **more)))


async def test_a_good_test_says_what_it_does_not_say(bench, effects):
    result = await validate(bench)
    assert (result.ok, result.verdict, result.stage) == (True, "unknown", "memory")
    assert result.cmd_args == list(bench.new.vllm_argv)
    assert result.launch_cmd.startswith("./launch-cluster.sh -d exec vllm serve org/qwen")
    assert "Only a real load" in result.note
    assert effects() == []


CASES = {
    "arguments bad": ("bad", "arguments", "bad_arguments"),
    "arguments unknown": ("unknown", "arguments", None),
    "memory bad": ("bad", "memory", "not_enough_memory"),
    "memory unknown": ("unknown", "memory", None),
    "image bad": ("bad", "image", "host_not_fit"),
    "host away": ("bad", "hosts", "host_unreachable"),
    "host odd": ("unknown", "hosts", None),
    "quarantine": ("bad", "quarantine", "quarantined"),
}


@pytest.mark.parametrize("what", CASES)
async def test_every_check_has_its_say(bench, what):
    verdict, stage, code = CASES[what]
    bench.runtime.memory.node = NodeMemory(TOTAL, 120 * GIB, 0, 0)
    match what:
        case "arguments bad":
            bench.preflight.result = PreflightResult("bad", "no such flag.", ("--foo",))
        case "arguments unknown":
            bench.preflight.result = PreflightResult("unknown", "docker is busy")
        case "memory bad":
            bench.runtime.memory.node = NodeMemory(TOTAL, 1 * GIB, 0, 0)
        case "memory unknown":
            bench.runtime.memory.node = NodeMemory(TOTAL, 1 * GIB, None, None)
        case "image bad":
            lacking = Finding("image", "bad", "No image.")
            bench.runtime.faults.problems["spark1"] = HostCheck("spark1", (lacking,))
        case "host away":
            away = HostUnreachableError("Spark 1 is away", host="spark1")
            bench.runtime.faults.problems["spark1"] = away
        case "host odd":
            odd = RemoteCommandError("a command on Spark 1 wrote too much", host="spark1")
            bench.runtime.faults.problems["spark1"] = odd
        case "quarantine":
            await bench.quarantining.put("qwen", "It took Spark 1 down.", "spark1", "s")
    result = await validate(bench)
    if what != "image bad":
        assert result.stage == stage
    assert result.verdict == verdict
    assert result.ok is (verdict != "bad")
    assert (result.cause.code if result.cause else None) == code
    assert (result.note == "") is (verdict == "bad")
    assert {check.name for check in result.checks} >= {stage, "arguments", "quarantine"}
    note = (await bench.records.notes(["qwen"]))["qwen"]
    assert (note.test.kind, note.test.verdict) == ("test", verdict)
    # What a swap says is the same.
    job = await bench.swap()
    assert job.phase is (Phase.FAILED if verdict == "bad" else Phase.READY)
    assert (job.cause.code if job.cause else None) == code


async def test_a_quarantine_nobody_can_read_is_a_doubt_and_no_clearance(bench):
    bench.runtime.memory.node = NodeMemory(TOTAL, 120 * GIB, 0, 0)
    bench.records.away = True
    result = await validate(bench)
    assert (result.ok, result.verdict, result.stage) == (True, "unknown", "quarantine")
    assert "could not be read" in result.error
    await bench.quarantining.put("qwen", "It took Spark 1 down.", "spark1", "s")
    assert (await validate(bench)).cause.code == "quarantined"


async def test_images_that_differ_are_told_apart(bench):
    bench.runtime.faults.problems["spark2"] = HostCheck("spark2", image_id="sha256:2222")
    result = await validate(bench, "minimax")
    assert result.cause.code == "images_differ"
    assert "Spark 1 has 1; Spark 2 has 2222" in result.cause.sentence


async def test_the_same_question_asked_twice_is_one_test(bench):
    both = asyncio.gather(
        bench.validating.validate(ValidateModel(model="qwen")),
        bench.validating.validate(ValidateModel(model="qwen")),
    )
    first, second = await answered(bench, both)
    assert first == second
    assert len(bench.preflight.asked) == 1


async def test_whoever_leaves_does_not_take_the_answer_of_the_others(bench):
    question = ValidateModel(model="qwen")
    leaving = asyncio.create_task(bench.validating.validate(question))
    await bench.clock.advance(0)
    staying = asyncio.create_task(bench.validating.validate(question))
    await bench.clock.advance(0)
    leaving.cancel()
    await bench.until(staying.done, 300)
    assert staying.result().ok
    assert len(bench.preflight.asked) == 1


async def test_tests_of_one_model_take_turns(bench):
    running = 0
    most = 0
    check = bench.runtime.check

    async def counted(candidate, host):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await bench.clock.sleep(1)
        running -= 1
        return await check(candidate, host)

    bench.runtime.check = counted
    questions = [ValidateModel(model="qwen"), ValidateModel(model="qwen", deep=True)]
    work = asyncio.gather(*(bench.validating.validate(question) for question in questions))
    await answered(bench, work)
    assert most == 1
    assert [deep for _, deep in bench.preflight.asked] == [False, True]


async def test_unsaved_knobs_are_tested_and_not_remembered(bench):
    knobs = Knobs(gpu_memory_utilization=0.5, max_model_len=4096)
    result = await validate(bench, knobs=knobs, flags=["--seed=3"])
    expected = ["--max-model-len", "4096", "--gpu-memory-utilization", "0.5", "--seed", "3"]
    assert result.cmd_args[0] == "org/qwen"
    assert result.cmd_args[-len(expected) :] == expected
    assert result.launch_cmd.endswith(" ".join(expected))
    assert (await bench.records.notes(["qwen"]))["qwen"].test is None


async def test_a_model_that_is_not_whole_fails_its_test_and_an_unknown_one_has_none(bench):
    bench.shelf.broken = ModelNotReadyError("Qwen is still being downloaded", model="qwen")
    result = await validate(bench)
    assert (result.ok, result.stage, result.cause.code) == (False, "files", "model_not_ready")
    bench.shelf.broken = None
    with pytest.raises(UnknownModelError):
        await validate(bench, "nobody")
    with pytest.raises(InvalidRequestError):
        await validate(bench, flags=["stray"])


@pytest.mark.parametrize(
    ("given", "saved", "knobs", "flags", "expected"),
    [
        (["--max-model-len=9"], [], Knobs(max_model_len=5), None, ["--max-model-len", "5"]),
        (["--kv-cache-dtype=fp8"], [], Knobs(fp8_kv_cache=False), None,
         ["--kv-cache-dtype", "auto"]),
        (["--load-format=auto"], [], Knobs(fast_load=True), None,
         ["--load-format", "fastsafetensors"]),
        ([], [], Knobs(prefix_caching=False), None, ["--no-enable-prefix-caching"]),
        (["--seed=1"], [], Knobs(), ["--seed=2", "--seed=3"], ["--seed", "3"]),
        (["--seed=1"], [], None, [], ["--seed", "1"]),
        (["--seed=1"], ["--max-num-seqs=4"], None, None,
         ["--seed", "1", "--max-num-seqs", "4"]),
        (["--seed=1"], ["--max-num-seqs=4"], None, [], ["--seed", "1"]),
        (["--seed=1"], ["--max-model-len=9", "--max-num-seqs=4"], None, ["--max-num-seqs=5"],
         ["--seed", "1", "--max-model-len", "9", "--max-num-seqs", "5"]),
        (["--seed=1"], ["--max-model-len=9"], Knobs(), None, ["--seed", "1"]),
    ],
)  # fmt: skip
def test_what_is_not_saved_starts_what_a_save_would(given, saved, knobs, flags, expected):
    recipe = Recipe(key="qwen", repo="org/qwen", name="Qwen", args=given, extra_args=saved)
    trying = Trying(RecipeBook((recipe,)), LaunchSettings())
    plan = plan_launch(recipe, "org/qwen", LaunchSettings())
    base = replace(a_candidate(), vllm_argv=plan.vllm_argv, launch_argv=plan.launch_argv)
    changed = trying(base, knobs, flags)
    decided = ["org/qwen", "--port", "8888", "--host", "0.0.0.0", "--served-model-name", "qwen"]
    assert list(changed.vllm_argv) == [*decided, *expected]
    assert changed.launch_argv[-len(changed.vllm_argv) :] == changed.vllm_argv
    keys = [flag.key for flag in merge_flags(changed.vllm_argv[1:])]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    "flag",
    [
        *("--api-key=x", "--hf_token=x", "stray", "--seed=1\n2", "-tp=2", "--port=1", "--nnodes=2"),
        *("--api-k=x", "--tensor_par=2"),
    ],
)
async def test_what_must_not_be_an_argument_is_not_tested(bench, flag):
    with pytest.raises(InvalidRequestError):
        await validate(bench, flags=[flag])
    assert bench.preflight.asked == []


async def test_a_plan_says_everything_and_does_nothing(bench, effects):
    await bench.observer.look()
    bench.runtime.memory.node = NodeMemory(TOTAL, 20 * GIB, 104 * GIB, 112 * GIB)
    bench.runtime.busy_until = bench.clock.monotonic() + 1000
    bench.store.times = {"qwen": [90.0], "gemma": [60.0]}
    found = await plan(bench)
    assert (found.model, found.stops, found.stops_key) == ("qwen", "gemma-served", "gemma")
    assert (found.in_flight, found.drain_seconds) == (1, 30)
    assert found.blockers == []
    (node,) = found.nodes
    assert (node.label, node.verdict) == ("Spark 1", "good")
    assert node.headroom_bytes == node.available_bytes + node.freed_bytes - node.needed_bytes
    assert "Let 1 answer finish" in found.steps[0]
    assert any("117.2 GB of memory are back on Spark 1" in step for step in found.steps)
    assert any(found.launch_cmd in step for step in found.steps)
    assert effects() == []
    assert await bench.store.live() == []


async def test_a_plan_names_every_blocker_with_what_to_press(bench):
    await bench.observer.look()
    bench.preflight.result = PreflightResult("bad", "no such flag.", ("--foo",))
    bench.runtime.memory.node = NodeMemory(TOTAL, 1 * GIB, 0, 0)
    bench.gate.take("nightly", "token")
    await bench.quarantining.put("qwen", "It took Spark 1 down.", "spark1", "s")
    found = await plan(bench)
    codes = [cause.code for cause in found.blockers]
    assert codes == ["lease_held", "quarantined", "not_enough_memory", "bad_arguments"]
    assert all(isinstance(cause, Cause) and cause.action for cause in found.blockers)
    allowed = await plan(bench, lock_token="token")
    assert "lease_held" not in [cause.code for cause in allowed.blockers]


async def test_a_plan_while_a_swap_runs_and_for_the_loaded_model(bench):
    await bench.observer.look()
    assert [c.code for c in (await plan(bench, "gemma")).blockers] == ["already_loaded"]
    await bench.admission.request(RequestSwap(model="qwen", id="one"))
    found = await plan(bench)
    assert (found.running_swap, found.blockers[0].code) == ("one", "swap_in_progress")
    # What serves while a swap runs is about to be stopped: it may well be asked for.
    codes = [cause.code for cause in (await plan(bench, "gemma")).blockers]
    assert codes == ["swap_in_progress"]


async def test_a_model_that_babbles_may_be_loaded_again_and_the_plan_says_so(bench):
    bench.runtime.faults.babble = "!" * 80
    job = await bench.swap()
    await bench.store.finish(job, job.revision - 1, 1)
    found = await plan(bench)
    assert (found.stops_key, found.blockers) == ("qwen", [])


async def test_an_update_of_the_cluster_software_is_a_blocker(bench):
    bench.updating = "u-1"
    (cause,) = (await plan(bench)).blockers
    assert cause.code == "being_updated"
    assert "Wait for the update" in cause.action


async def dry_run(bench, **more):
    request = RequestSwap(model=more.pop("model", "qwen"), dry_run=True, **more)
    return await answered(bench, bench.admission.request(request))


async def test_a_dry_run_is_refused_for_what_the_swap_would_be(bench):
    await bench.observer.look()
    assert (await dry_run(bench, model="gemma")).cause.code == "already_loaded"
    bench.updating = "u-1"
    assert (await dry_run(bench)).cause.code == "being_updated"
    bench.updating = None
    await bench.admission.request(RequestSwap(model="qwen", id="one"))
    assert (await dry_run(bench, model="minimax")).cause.code == "swap_in_progress"
    waiting = await dry_run(bench, model="minimax", when_busy="queue")
    assert waiting.cause is None


async def test_a_plan_of_a_model_that_is_not_there_is_a_blocker(bench):
    bench.shelf.broken = ModelNotReadyError("Qwen is still being downloaded", model="qwen")
    found = await plan(bench)
    assert [cause.code for cause in found.blockers] == ["model_not_ready"]
    assert found.stops_key == "gemma"


async def test_the_lease_that_cannot_be_read_blocks(bench):
    bench.gate.away = True
    assert [cause.code for cause in (await plan(bench)).blockers] == ["unavailable"]


async def test_how_a_load_ended_is_kept_on_the_card(bench):
    job = await bench.swap()
    result = load_result(job)
    assert (result.kind, result.verdict) == ("load", "good")
    assert "It loaded in 6" in result.sentence
    await bench.quarantining.remember(job)
    assert (await bench.records.notes(["qwen"]))["qwen"].test == result


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({"phase": Phase.FAILED, "failed_in": Phase.LOADING, "code": "stalled"}, "bad"),
        ({"phase": Phase.ROLLED_BACK, "failed_in": Phase.WARMING, "code": "stalled"}, "bad"),
        ({"phase": Phase.FAILED, "failed_in": Phase.LOADING, "code": "ssh_timeout"}, "unknown"),
        ({"phase": Phase.FAILED, "failed_in": Phase.PREFLIGHT, "code": "bad_arguments"}, None),
        ({"phase": Phase.CANCELLED, "failed_in": Phase.LOADING, "code": "cancelled"}, None),
        ({"phase": Phase.READY, "failed_in": None, "code": ""}, None),
    ],
)
async def test_only_a_load_says_something_about_loading(bench, facts, verdict):
    cause = Cause(code=facts["code"], sentence="Why.", action="Press.")
    job = bench.job(
        phase=facts["phase"],
        failed_in=facts["failed_in"],
        cause=cause if facts["code"] else None,
        finished_at=bench.clock.now(),
    )
    result = load_result(job)
    assert (result.verdict if result else None) == verdict
