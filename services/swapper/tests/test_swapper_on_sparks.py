"""The whole swapper on real NATS, Redis, SSH and HTTP, against two simulated Sparks."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio

from spark_common.bus.nats import connect_bus
from spark_common.bus.port import Stored
from spark_common.clock import SystemClock
from spark_common.contracts.models import (
    LIST_MODELS,
    SUGGEST_RECIPE,
    ListModels,
    SuggestRecipe,
)
from spark_common.contracts.swaps import (
    CANCEL_SWAP,
    GET_SWAP,
    LIST_SWAPS,
    REQUEST_SWAP,
    CancelSwap,
    GetSwap,
    ListSwaps,
    Phase,
    RequestSwap,
    SwapView,
)
from spark_common.errors import (
    AlreadyLoadedError,
    NotFoundError,
    SparkError,
    UnavailableError,
    UnknownModelError,
)
from spark_common.events import SwapRequested
from spark_common.redis_access import connect_redis
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.settings import HttpSettings
from spark_common.tasks import end
from spark_common.testing.wait import until
from spark_sim.cluster import SimulatedCluster
from spark_sim.two_sparks import two_sparks
from spark_swapper.adapters.redis_jobs import RedisJobs
from spark_swapper.app import Swapper, wire
from spark_swapper.records.jobs import first_job
from spark_swapper.settings import GuardSettings, SwapperSettings, SwapTimings

pytestmark = [pytest.mark.connected, pytest.mark.timeout(180)]

QWEN, GEMMA = "qwen3.6-35b-a3b", "gemma-4-26b"
TIMINGS = SwapTimings(
    drain_seconds=2, stop_seconds=30, load_deadline_seconds=60, stall_seconds=5, poll_seconds=0.1
)
GUARD = GuardSettings(memory_settle_seconds=2, freeze_seconds=10)
SPEED, BY_HAND = 300.0, 60.0
"""How fast the Sparks are, and how fast when a test comes in between in a load."""


@dataclass
class Stack:
    """Servers that stay, and a swapper that is started, killed and started again."""

    settings: SwapperSettings
    cluster: SimulatedCluster
    asker: object
    exits: AsyncExitStack
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)
    swapper: Swapper | None = None
    _closers: list[Callable[[], object]] = field(default_factory=list)

    async def start(self) -> None:
        """Start a swapper process, as far as one event loop can play one."""
        clock = SystemClock()
        bus = await connect_bus(self.settings.bus, "swapper", clock)
        redis = connect_redis(self.settings.redis, "swapper", idempotent_reads=True)
        http = httpx.AsyncClient(trust_env=False)
        shell = SshShell(self.settings.cluster, clock, SshTimes(remember_seconds=1))
        self._closers = [redis.aclose, http.aclose, shell.close, bus.close]
        swapper = wire(self.settings, bus=bus, redis=redis, shell=shell, http=http, clock=clock)
        await bus.serve("swapper", "0.1.0", "test", swapper.verbs())
        loops = (
            swapper.path.teller,
            swapper.path.observer,
            swapper.path.worker,
            swapper.path.cancelling,
            swapper.path.ingress,
            swapper.path.sweeping,
        )
        self.tasks = [asyncio.create_task(loop.run()) for loop in loops]
        self.tasks.append(asyncio.create_task(swapper.shelf.keep_fresh()))
        self.swapper = swapper

    async def kill(self) -> None:
        """End every task where it stands; nothing is finished, told or acknowledged."""
        await end(self.tasks)
        for close in self._closers:
            await close()

    async def request(self, model: str, **more: object) -> SwapView:
        """Ask over the bus."""
        return await self.asker.call(REQUEST_SWAP, RequestSwap(model=model, **more))

    async def get(self, swap_id: str) -> SwapView:
        """Ask for one swap."""
        return await self.asker.call(GET_SWAP, GetSwap(id=swap_id))

    async def until(self, swap_id: str, holds: Callable[[SwapView], bool]) -> SwapView:
        """Poll a swap."""
        async with asyncio.timeout(60):
            while not holds(view := await self.get(swap_id)):
                assert view.finished_at is None, lines_of(view)
                await asyncio.sleep(0.05)
        return view

    async def ended(self, swap_id: str) -> SwapView:
        """Poll a swap until its end."""
        return await self.until(swap_id, lambda view: view.finished_at is not None)

    def slow_down(self) -> None:
        """Let a load take a few seconds, long enough for a test to come in between."""
        for host in self.cluster.hosts.values():
            host.pace.speed = BY_HAND

    def launches(self) -> list[str]:
        """Return the repositories that vLLM was started with, in order."""
        return [entry.details["argv"][1] for entry in self.cluster.journal.of("runtime_launched")]

    async def swapped_at_last(self, model: str) -> SwapView:
        """Ask until it works: a Spark that was away is remembered as away for a while."""
        async with asyncio.timeout(60):
            for number in itertools.count():
                try:
                    view = await self.swapped(model, f"again-{number}")
                except UnavailableError:
                    pass
                else:
                    if view.phase is Phase.READY:
                        break
                await asyncio.sleep(1)
        return view

    async def swapped(self, model: str, swap_id: str, **more: object) -> SwapView:
        """Ask for a model and wait for the end."""
        await self.request(model, id=swap_id, **more)
        return await self.ended(swap_id)


@pytest_asyncio.fixture
async def stack(tmp_path, nats_server, redis_server) -> AsyncIterator[Stack]:
    async with AsyncExitStack() as exits:
        sparks = await exits.enter_async_context(two_sparks(tmp_path, speed=SPEED))
        settings = SwapperSettings(
            bus=nats_server.settings("swapper"),
            redis=redis_server.settings,
            http=HttpSettings(bind_port=0),
            cluster=sparks.settings,
            guard=GUARD,
            timings=TIMINGS,
            data_dir=tmp_path / "data",
        )
        asker = await connect_bus(nats_server.settings("gateway"), "gateway", SystemClock())
        exits.push_async_callback(asker.close)
        stack = Stack(settings, sparks.cluster, asker, exits)
        await stack.start()
        yield stack
        await stack.kill()


def lines_of(view: SwapView) -> str:
    """Return all words of an end, for assertions and their messages."""
    cause = view.cause
    words = [view.message]
    if cause is not None:
        words += [cause.code, cause.sentence, cause.action, *cause.evidence]
    return "\n".join(words)


async def test_load_then_swap_then_the_menu_shows_it(stack):
    first = await stack.request(QWEN, requested_by="Alice", id="first")
    assert first.phase is Phase.QUEUED
    view = await stack.ended("first")
    assert view.phase is Phase.READY, lines_of(view)
    assert (view.serving, view.previous) == (QWEN, None)

    again = await stack.request(QWEN, requested_by="Alice", id="first")
    assert again.phase is Phase.READY
    with pytest.raises(AlreadyLoadedError):
        await stack.request(QWEN)
    with pytest.raises(UnknownModelError) as unknown:
        await stack.request("qwen3.6-35b")
    assert QWEN in unknown.value.details["near"]

    view = await stack.swapped(GEMMA, "second")
    assert view.phase is Phase.READY, lines_of(view)
    assert (view.serving, view.previous) == (GEMMA, QWEN)
    menu = await stack.asker.call(LIST_MODELS, ListModels())
    assert (menu.runtime.state, menu.runtime.model) == ("serving", GEMMA)
    assert [model.key for model in menu.models if model.loaded] == [GEMMA]
    await until(lambda: stack.swapper.path.worker.running is None, "the worker is free")
    swaps = await stack.asker.call(LIST_SWAPS, ListSwaps())
    assert [swap.id for swap in swaps.recent] == ["second", "first"]
    assert swaps.current is None
    assert len(stack.launches()) == 2
    stopped = stack.cluster.journal.of("container_stopped")
    assert [entry.host for entry in stopped] == ["spark1"]


async def test_a_model_over_both_sparks_loads_and_is_taken_away_from_both(stack):
    view = await stack.swapped("minimax-m2.7", "wide")
    assert view.phase is Phase.READY, lines_of(view)
    assert {entry.host for entry in stack.cluster.journal.of("container_started")} == {
        "spark1",
        "spark2",
    }
    view = await stack.swapped(QWEN, "narrow")
    assert view.phase is Phase.READY, lines_of(view)
    assert len(stack.cluster.hosts["spark2"].engine.containers) == 0


@pytest.mark.parametrize(
    ("behaviour", "codes"),
    [
        ("low_memory", {"not_enough_memory"}),
        ("hang", {"stalled"}),
        ("unreachable", {"host_unreachable"}),
    ],
)
async def test_a_swap_that_fails_says_why_and_the_next_one_works(stack, behaviour, codes):
    await stack.swapped(QWEN, "good")
    await stack.cluster.behave("all", behaviour)
    try:
        view = await stack.swapped(GEMMA, "bad")
    except UnavailableError:
        # An unreachable Spark may be known before admission.
        assert behaviour == "unreachable"
    else:
        assert view.phase is Phase.FAILED, lines_of(view)
        assert view.cause is not None
        assert codes is None or view.cause.code in codes, lines_of(view)
    await stack.cluster.behave("all", "ok")
    view = await stack.swapped_at_last(GEMMA)
    assert view.serving == GEMMA


async def test_a_failed_swap_brings_the_previous_model_back_when_asked(stack):
    await stack.swapped(QWEN, "good")
    stack.slow_down()
    await stack.request(GEMMA, id="bad", rollback=True)
    await stack.until("bad", lambda view: view.phase is Phase.LOADING)
    await stack.cluster.behave("all", "oom_on_load")
    await stack.until("bad", lambda view: view.phase is Phase.ROLLING_BACK)
    await stack.cluster.behave("all", "ok")
    view = await stack.ended("bad")
    assert (view.phase, view.serving) == (Phase.ROLLED_BACK, QWEN), lines_of(view)


async def test_cancelling_a_load_empties_the_gpu(stack):
    stack.slow_down()
    await stack.request(QWEN, id="one")
    await stack.until("one", lambda view: view.phase is Phase.LOADING)
    await stack.asker.call(CANCEL_SWAP, CancelSwap(id="one", requested_by="Bob"))
    view = await stack.ended("one")
    assert (view.phase, view.serving) == (Phase.CANCELLED, None), lines_of(view)
    assert not stack.cluster.hosts["spark1"].engine.containers


async def known(stack: Stack, swap_id: str) -> bool:
    """Say whether a swap was admitted."""
    try:
        await stack.get(swap_id)
    except NotFoundError:
        return False
    return True


async def test_an_automation_swaps_by_event_under_its_own_identity(stack, nats_server):
    automation = await connect_bus(nats_server.settings("automation"), "automation", SystemClock())
    stack.exits.push_async_callback(automation.close)
    asked = SwapRequested(model=QWEN, requested_by="cron", id="nightly")
    result = await automation.publish_durable("swap.requested", asked, id="event-1")
    assert isinstance(result, Stored)
    await until(lambda: known(stack, "nightly"), "admission")
    view = await stack.ended("nightly")
    assert view.requested_by == "cron"
    assert (view.phase, view.serving, view.rollback) == (Phase.READY, QWEN, True)


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


async def test_a_dry_run_plans_and_touches_nothing(stack):
    view = await stack.request(QWEN, dry_run=True)
    assert (view.phase, view.dry_run, view.cause) == (Phase.PREFLIGHT, True, None)
    assert view.finished_at is not None
    assert any("vllm serve nvidia/Qwen3.6-35B-A3B-NVFP4" in step for step in view.plan)
    assert stack.launches() == []


async def test_a_swapper_killed_in_the_middle_goes_on_and_launches_once(stack):
    await stack.swapped(QWEN, "before")
    stack.slow_down()
    await stack.request(GEMMA, id="one")
    reached = list(Phase)[list(Phase).index(Phase.STOPPING) :]
    await stack.until("one", lambda view: view.phase in reached)
    await stack.kill()
    await stack.start()
    view = await stack.ended("one")
    assert (view.phase, view.serving) == (Phase.READY, GEMMA), lines_of(view)
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
    view = await stack.ended("one")
    assert view.phase is Phase.FAILED, lines_of(view)
    assert "Spark 2" in view.cause.sentence, lines_of(view)
    assert not any(host.engine.containers for host in stack.cluster.hosts.values())


async def test_redis_and_nats_may_restart_in_the_middle(stack, redis_server, nats_server):
    stack.slow_down()
    await stack.request(QWEN, id="one")
    await stack.until("one", lambda view: view.phase is Phase.LOADING)
    await redis_server.kill()
    await redis_server.start()
    await nats_server.kill()
    await nats_server.start()

    async def settled():
        async with asyncio.timeout(60):
            while True:
                try:
                    return await stack.ended("one")
                except SparkError:
                    await asyncio.sleep(0.2)

    view = await settled()
    assert (view.phase, view.serving) == (Phase.READY, QWEN), lines_of(view)
    assert len(stack.launches()) == 1


async def test_a_model_without_a_recipe_gets_one_from_its_own_files(stack):
    nemotron = "nvidia/Nemotron-3-Nano-30B-A3B-FP8"
    suggestion = await stack.asker.call(SUGGEST_RECIPE, SuggestRecipe(repo=nemotron))
    assert (suggestion.repo, suggestion.key) == (nemotron, "nemotron-3-nano-30b-a3b-fp8")
    assert (suggestion.read_from, suggestion.hosts) == ("spark1", ["spark1"])
    assert suggestion.size_bytes == pytest.approx(32.1e9, rel=0.001)
    assert (suggestion.mode.value, suggestion.mode.certainty) == ("solo", "derived")
    assert suggestion.quantization.value == "modelopt FP8"
    assert (suggestion.context_length.value, suggestion.context_length.certainty) == (
        262_144,
        "read",
    )
    assert [trait.value for trait in suggestion.traits] == ["moe", "hybrid", "custom_code"]
    assert [argument.value for argument in suggestion.args] == [
        "--gpu-memory-utilization=0.7",
        "--max-model-len=262144",
        "--max-num-batched-tokens=8192",
        "--load-format=fastsafetensors",
        "--reasoning-parser=nemotron_v3",
        "--tool-call-parser=qwen3_coder",
        "--enable-auto-tool-choice",
        "--trust-remote-code",
    ]
    assert suggestion.warnings == []
    with pytest.raises(UnknownModelError) as unknown:
        await stack.asker.call(SUGGEST_RECIPE, SuggestRecipe(repo="nvidia/Nemotron-3-Nano"))
    assert suggestion.key in unknown.value.details["near"]


TEN_BAD_ONES = {
    "post_parse": "bad_arguments",
    "damaged_files": "files_damaged",
    "mamba_block": "batch_too_small",
    "kv_none": "no_memory_for_context",
    "cuda_oom": "out_of_gpu_memory",
    "oom_on_load": "out_of_memory_killed",
    "port_lost": "port_taken",
    "earlyoom": "out_of_memory_killed",
    "silent_death": "ended_silently",
    "wedge_at_once": "gpu_fault",
}


async def test_after_ten_bad_loads_in_a_row_a_good_one_works(stack):
    spark = stack.cluster.hosts["spark1"]
    for host in stack.cluster.hosts.values():
        host.pace.speed = 600.0
    free = spark.memory.available_gib
    for behaviour, code in TEN_BAD_ONES.items():
        await stack.cluster.behave("all", behaviour)
        view = await stack.swapped(GEMMA, f"bad-{behaviour.replace('_', '-')}")
        assert (view.phase, view.cause.code) == (Phase.FAILED, code), lines_of(view)
        assert view.serving is None
    await stack.cluster.behave("all", "ok")
    assert not spark.engine.containers
    await until(lambda: not spark.runtimes.live, "the last process is gone")
    await until(lambda: spark.memory.available_gib == pytest.approx(free), "memory is back")
    view = await stack.swapped(GEMMA, "good")
    assert (view.phase, view.serving) == (Phase.READY, GEMMA), lines_of(view)

    jobs = spark.sandbox.home / ".spark-control" / "jobs"
    ended = {path.relative_to(jobs).as_posix() for path in jobs.glob("*/*.exit")}
    swaps = [*(f"bad-{name.replace('_', '-')}" for name in TEN_BAD_ONES), "good"]
    assert {f"{swap}/launch.exit" for swap in swaps} <= ended
    assert {f"{swap}/clear.exit" for swap in swaps[:-1]} <= ended
    assert not list(jobs.glob("*/*.tmp"))
    assert len(stack.launches()) == 11
    started = stack.cluster.journal.of("container_started")
    stopped = stack.cluster.journal.of("container_stopped")
    assert (len(started), len(stopped)) == (11, 10)
    assert len(spark.runtimes.live) == 1
    await until(lambda: stack.swapper.path.worker.running is None, "the worker is free")
