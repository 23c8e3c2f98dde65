"""The checkout of January 2026: Ray, no daemon, quotes lost, a trap that takes everything down."""

import asyncio
from dataclasses import replace

import pytest

from spark_common.contracts.swaps import Phase

pytestmark = [
    pytest.mark.connected,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]

SOLO, SMALL, WIDE = "gemma-4-26b", "qwen3.6-35b-a3b", "minimax-m2.7"


def containers(loads):
    return [len(host.engine.containers) for host in loads.cluster.hosts.values()]


def held_gib(loads):
    return [host.memory.held_kb / 1048576 for host in loads.cluster.hosts.values()]


async def test_the_old_checkout_loads_swaps_fails_and_loads_again(loads):
    loads.cluster.use_launcher("all", "2026-01")
    flags = ("--speculative-config", '{"method": "mtp", "num_speculative_tokens": 3}')
    plain = loads.candidates[SOLO]
    loads.candidates[SOLO] = replace(
        plain,
        vllm_argv=(*plain.vllm_argv, *flags),
        launch_argv=(*plain.launch_argv, *flags),
        volumes=("/data:/data",),
    )
    job = await loads.swap(SOLO)
    assert (job.phase, containers(loads)) == (Phase.READY, [1, 0]), job.message
    launched = loads.cluster.journal.of("runtime_launched")[-1]
    assert tuple(launched.details["argv"][1:]) == loads.candidates[SOLO].vllm_argv
    (container,) = loads.cluster.hosts["spark1"].engine.containers.values()
    assert "/data:/data" in container.spec.volumes
    # The log of a foreground run is the launcher's own, and so is what the loader read of it.
    assert job.entered_at(Phase.LOADING)

    job = await loads.swap(WIDE)
    assert (job.phase, containers(loads)) == (Phase.READY, [1, 1]), job.message
    assert min(held_gib(loads)) > 20
    argv = loads.cluster.journal.of("runtime_launched")[-1].details["argv"]
    assert argv[-2:] == ["--distributed-executor-backend", "ray"]

    await loads.cluster.behave("all", "kv_too_small")
    job = await loads.swap(SMALL)
    await loads.cluster.behave("all", "ok")
    assert (job.phase, job.cause.code) == (Phase.FAILED, "context_does_not_fit"), job.cause
    assert containers(loads) == [0, 0]

    job = await loads.swap(SMALL)
    assert (job.phase, containers(loads)) == (Phase.READY, [1, 0]), job.message
    loads.cluster.use_launcher("all", "2026-09")
    job = await loads.swap(WIDE)
    assert (job.phase, containers(loads)) == (Phase.READY, [1, 1]), job.message
    argv = loads.cluster.journal.of("runtime_launched")[-1].details["argv"]
    assert "--distributed-executor-backend" not in argv


async def test_a_lost_session_does_not_take_the_old_launchers_model_down(loads):
    loads.cluster.use_launcher("all", "2026-01")
    assert (await loads.swap(SMALL)).phase is Phase.READY
    await loads.cluster.behave("spark1", "unreachable")
    await asyncio.sleep(0.3)
    await loads.cluster.behave("spark1", "ok")
    served = await loads.runtime.served("spark1")
    assert served is not None
    assert served.repo == loads.candidates[SMALL].repo


async def test_a_rank_that_dies_in_ray_is_said_to_have_died_on_its_spark(loads):
    loads.cluster.use_launcher("all", "2026-01")
    running = asyncio.create_task(loads.swap(WIDE))
    spark2 = loads.cluster.hosts["spark2"]
    async with asyncio.timeout(120):
        while not spark2.runtimes.live:
            await asyncio.sleep(0.02)
    for container in list(spark2.engine.containers.values()):
        spark2.engine.kill(container)
    job = await running
    assert job.phase is Phase.FAILED
    assert "Spark 2" in job.cause.sentence
    assert containers(loads) == [0, 0]
