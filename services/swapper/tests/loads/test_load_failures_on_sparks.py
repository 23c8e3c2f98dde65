"""Every way a load fails, from the fault on the Spark to the sentence for its owner."""

from dataclasses import replace

import pytest

from spark_common.contracts.swaps import Phase
from spark_sim.load_failures import LOAD_FAILURES

pytestmark = [
    pytest.mark.connected,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]

SOLO, WIDE = "gemma-4-26b", "minimax-m2.7"
ALONE = [
    ("bad_flag", "bad_arguments", "vLLM does not accept the launch arguments: unrecognized"),
    ("post_parse", "bad_arguments", "--enable-auto-tool-choice requires --tool-call-parser"),
    ("bad_parser", "bad_arguments", "invalid tool call parser: nosuch"),
    ("context_too_long", "context_too_long", "a context of 999999 tokens"),
    ("unknown_architecture", "model_not_supported", "'Qwen9ForCausalLM'"),
    ("gated", "files_gated", "accepted the terms"),
    ("offline_files", "files_not_found", "did not find the model's files"),
    ("damaged_files", "files_damaged", "damaged or missing"),
    ("nofile", "too_many_files", "open enough files"),
    ("port_lost", "port_taken", "already uses the port"),
    ("mamba_block", "batch_too_small", "this kind of model needs 2096"),
    ("mm_budget", "batch_too_small", "one image can need 16384"),
    ("memory_taken", "not_enough_memory", "Not enough free memory: it asked for"),
    ("kv_none", "no_memory_for_context", "nothing is left for conversations"),
    ("kv_too_small", "context_does_not_fit", "at most 87360 fit"),
    ("kv_too_small_old", "context_does_not_fit", "at most 87360 fit"),
    ("oom_on_load", "out_of_memory_killed", "Spark 1 ran out of memory"),
    ("driver_oom", "out_of_gpu_memory", "The GPU driver of Spark 1 ran out of memory"),
    ("earlyoom", "out_of_memory_killed", "ran out of memory"),
    ("cuda_oom", "out_of_gpu_memory", "The GPU ran out of memory"),
    ("ray_oom", "out_of_memory_killed", "ran low on memory"),
    ("ready_timeout", "start_too_slow", "after 600 s"),
    ("shm_stall_death", "stalled", "did not answer the others for 60 s"),
    ("cuda_fault", "gpu_fault", "The GPU reported a fault"),
    ("cublas_fault", "gpu_fault", "The GPU reported a fault"),
    ("engine_dead", "engine_died", "engine stopped while it was starting"),
    ("silent_death", "ended_silently", "did not say why"),
    ("wedge_at_once", "gpu_fault", "The GPU reported a fault"),
    ("name_taken", "name_taken", "A container named vllm_node is still there"),
    ("hang", "stalled", "said nothing and read nothing for"),
    ("fastsafetensors_hang", "stalled", "said nothing and read nothing for"),
    ("shm_stall", "stalled", "said nothing and read nothing for"),
]
"""Behaviour of Spark 1, code of the cause, words of its sentence."""
HANGS = {"hang", "fastsafetensors_hang", "shm_stall", "nccl_hang"}


@pytest.mark.parametrize(("behaviour", "code", "words"), ALONE, ids=[row[0] for row in ALONE])
async def test_a_load_that_fails_names_its_cause(loads, behaviour, code, words):
    await loads.cluster.behave("all", behaviour)
    try:
        job = await loads.swap(SOLO, hangs=behaviour in HANGS)
    finally:
        await loads.cluster.behave("all", "ok")
    assert (job.phase, job.cause.code) == (Phase.FAILED, code), job.cause
    assert words in job.cause.sentence
    assert job.cause.sentence.endswith(".")
    assert job.cause.action.endswith(".")
    assert job.cause.evidence
    assert "GPU is empty now" in job.message
    assert not loads.cluster.hosts["spark1"].engine.containers


async def test_a_fast_loader_that_hangs_at_nothing_is_named(loads):
    await loads.cluster.behave("all", "fastsafetensors_hang")
    plain = loads.candidates[SOLO]
    flag = "--load-format=fastsafetensors"
    loads.candidates[SOLO] = replace(
        plain,
        vllm_argv=(*plain.vllm_argv, flag),
        launch_argv=(*plain.launch_argv, flag),
    )
    try:
        job = await loads.swap(SOLO, hangs=True)
    finally:
        loads.candidates[SOLO] = plain
        await loads.cluster.behave("all", "ok")
    assert (job.phase, job.cause.code) == (Phase.FAILED, "loader_hangs"), job.cause
    assert flag in job.cause.action


async def test_every_failure_of_a_load_is_in_a_table():
    told = {row[0] for row in ALONE} | {row[1] for row in TOGETHER}
    assert {str(behaviour) for behaviour in LOAD_FAILURES} <= told
    assert {*HANGS, "bad_flag"} <= told


TOGETHER = [
    ("spark2", "rendezvous", "sparks_did_not_meet", "Only 1 of 2 Sparks joined within 601 s"),
    ("spark1", "nccl_error", "sparks_lost_each_other", "lost the fast connection"),
    ("spark1", "nccl_watchdog", "sparks_lost_each_other", "lost the fast connection"),
    ("spark1", "nccl_hang", "sparks_hang", "Spark 1 waits with a busy GPU while Spark 2 does"),
    ("spark2", "nccl_hang", "sparks_hang", "Spark 2 waits with a busy GPU while Spark 1 does"),
    ("spark2", "oom_on_load", "out_of_memory_killed", "Spark 2 ran out of memory"),
    ("spark2", "silent_death", "ended_silently", "Spark 2: "),
    ("spark2", "cuda_oom", "out_of_gpu_memory", "Spark 2: The GPU ran out of memory"),
    ("spark2", "memory_taken", "not_enough_memory", "Spark 2: Not enough free memory"),
    ("spark2", "kv_none", "no_memory_for_context", "Spark 2: The weights fill"),
]


async def test_images_that_differ_are_refused_with_the_difference(loads):
    await loads.cluster.behave("spark2", "image_mismatch")
    try:
        job = await loads.swap(WIDE)
    finally:
        await loads.cluster.behave("all", "ok")
    assert (job.phase, job.cause.code) == (Phase.FAILED, "images_differ"), job.cause
    mine, other = (host.engine.image("vllm-node")[:12] for host in loads.cluster.hosts.values())
    assert f"Spark 1 has {mine} of 2026-10-14; Spark 2 has" in job.cause.sentence
    assert mine == other, "the behaviour is over"
    assert job.message.endswith("Nothing was touched.")


@pytest.mark.parametrize(
    ("host", "behaviour", "code", "words"), TOGETHER, ids=[f"{r[0]}-{r[1]}" for r in TOGETHER]
)
async def test_a_load_over_both_names_the_spark_where_it_began(loads, host, behaviour, code, words):
    await loads.cluster.behave(host, behaviour)
    try:
        job = await loads.swap(WIDE, hangs=behaviour in HANGS)
    finally:
        await loads.cluster.behave("all", "ok")
    assert (job.phase, job.cause.code) == (Phase.FAILED, code), job.cause
    assert words in job.cause.sentence
    for one in loads.cluster.hosts.values():
        assert not one.engine.containers
