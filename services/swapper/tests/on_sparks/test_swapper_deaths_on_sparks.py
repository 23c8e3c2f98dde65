"""The swapper, its record or a worker die in the middle: nothing is done twice or forgotten."""

import asyncio
from datetime import timedelta

import pytest

from spark_common.clock import SystemClock
from spark_common.contracts.swaps import (
    Phase,
)
from spark_common.errors import (
    SparkError,
)
from spark_common.redis_access import connect_redis
from spark_common.testing.wait import until
from spark_swapper.adapters.redis_jobs import RedisJobs
from spark_swapper.records.jobs import first_job

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

QWEN, GEMMA = "qwen3.6-35b-a3b", "gemma-4-26b"


async def test_a_record_whose_command_was_never_stored_is_ended(stack):
    redis = connect_redis(stack.settings.redis, "test")
    stack.exits.push_async_callback(redis.aclose)
    at = SystemClock().now() - timedelta(seconds=60)
    orphan = first_job(swap_id="orphan", model=QWEN, model_name=QWEN, requested_by="Alice", at=at)
    await RedisJobs(redis).admit(orphan)
    await stack.swapper.path.sweeping.sweep()
    view = await stack.get("orphan")
    assert (view.phase, view.cause.code) == (Phase.FAILED, "not_accepted")
    assert stack.launches() == []


async def test_a_reload_really_stops_and_starts_what_serves_though_the_swapper_dies(stack):
    await stack.swapped(QWEN, "before")
    stack.slow_down()
    view = await stack.request(QWEN, id="afresh", reload=True)
    assert view.phase is Phase.QUEUED
    reached = list(Phase)[list(Phase).index(Phase.STOPPING) :]
    await stack.until("afresh", lambda view: view.phase in reached)
    await stack.kill()
    await stack.start()
    stack.hurry()
    view = await stack.ended("afresh")
    assert (view.phase, view.serving, view.previous) == (Phase.READY, QWEN, QWEN), stack.words(view)
    assert stack.launches() == ["nvidia/Qwen3.6-35B-A3B-NVFP4"] * 2
    assert len(stack.cluster.journal.of("container_stopped")) == 1


async def test_a_swapper_killed_in_the_middle_goes_on_and_launches_once(stack):
    await stack.swapped(QWEN, "before")
    stack.slow_down()
    await stack.request(GEMMA, id="one")
    reached = list(Phase)[list(Phase).index(Phase.STOPPING) :]
    await stack.until("one", lambda view: view.phase in reached)
    await stack.kill()
    await stack.start()
    stack.hurry()
    view = await stack.ended("one")
    assert (view.phase, view.serving) == (Phase.READY, GEMMA), stack.words(view)
    assert view.attempt == 2
    assert stack.launches() == ["nvidia/Qwen3.6-35B-A3B-NVFP4", "google/gemma-4-26b-it"]


async def test_a_worker_that_died_while_no_swapper_was_there_is_found_and_named(stack):
    stack.slow_down()
    await stack.request("minimax-m2.7", id="one")
    await stack.until("one", lambda view: view.phase is Phase.LOADING)
    spark2 = stack.cluster.hosts["spark2"]
    await until(lambda: bool(spark2.runtimes.live), "the worker's part")
    await stack.kill()
    for container in list(spark2.engine.containers.values()):
        spark2.engine.kill(container)
    await stack.start()
    stack.hurry()
    view = await stack.ended("one")
    assert view.phase is Phase.FAILED, stack.words(view)
    assert "Spark 2" in view.cause.sentence, stack.words(view)
    assert not any(host.engine.containers for host in stack.cluster.hosts.values())


async def test_redis_and_nats_may_restart_in_the_middle(stack, redis_server, nats_server):
    stack.slow_down()
    await stack.request(QWEN, id="one")
    await stack.until("one", lambda view: view.phase is Phase.LOADING)
    await redis_server.kill()
    await redis_server.start()
    await nats_server.kill()
    await nats_server.start()
    stack.hurry()

    async def settled():
        async with asyncio.timeout(150):
            while True:
                try:
                    return await stack.ended("one")
                except SparkError:
                    await asyncio.sleep(0.2)

    view = await settled()
    assert (view.phase, view.serving) == (Phase.READY, QWEN), stack.words(view)
    assert len(stack.launches()) == 1
