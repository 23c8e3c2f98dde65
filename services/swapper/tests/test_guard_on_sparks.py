"""Tests, plans and the watch over the memory, on two simulated Sparks over real SSH and HTTP."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from spark_common.clock import SystemClock
from spark_common.contracts.plans import (
    CLEAR_QUARANTINE,
    PLAN_SWAP,
    VALIDATE_MODEL,
    ClearQuarantine,
    PlanSwap,
    SwapPlan,
    ValidateModel,
    Validation,
)
from spark_common.contracts.recipes import Knobs
from spark_common.contracts.rpc import Request, Rpc
from spark_common.contracts.swaps import Phase, RequestSwap, SwapView
from spark_common.errors import QuarantinedError, SparkError
from spark_common.plain_http import plain_client
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.tasks import end
from spark_common.testing import MemoryBroker, MemoryBus
from spark_common.testing.wait import until
from spark_sim.cluster import SimulatedCluster
from spark_sim.host import SimulatedHost
from spark_sim.memory import GIB_KB
from spark_sim.two_sparks import two_sparks
from spark_sim.vllm_process import VllmProcess
from spark_swapper.adapters.ssh_runtime import SshRuntime
from spark_swapper.checks.preflight import ParserPreflight
from spark_swapper.editing.trying import Trying
from spark_swapper.guarding.quarantining import Quarantining
from spark_swapper.launching.launch import LaunchSettings
from spark_swapper.menu.hosts import Hosts, Spark
from spark_swapper.menu.shelf import DiskShelf
from spark_swapper.readiness.canary_watch import CanaryWatch
from spark_swapper.readiness.observer import RuntimeObserver
from spark_swapper.recipes import load_recipes
from spark_swapper.settings import GuardSettings, SwapTimings
from spark_swapper.swap_path import SwapPath, assemble
from spark_swapper.testing import (
    FakeGate,
    FakeSuggesting,
    MemoryJobs,
    MemoryLogs,
    MemoryRecords,
)

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

QWEN, GEMMA, WIDE = "qwen3.6-35b-a3b", "gemma-4-26b", "minimax-m2.7"
TIMINGS = SwapTimings(
    drain_seconds=2, stop_seconds=120, load_deadline_seconds=150, stall_seconds=60, poll_seconds=0.3
)
GUARD = GuardSettings(memory_settle_seconds=10, freeze_seconds=20)
SPEED = 200.0
LOOKS = {"ssh_command", "preflight"}
"""Entries of the simulator's journal that are no effects."""


@dataclass
class Guarded:
    """A swapper without servers, on Sparks that are as real as it gets."""

    cluster: SimulatedCluster
    path: SwapPath
    records: MemoryRecords
    shelf: DiskShelf

    async def swapped(self, model: str, swap_id: str, **more: object) -> SwapView:
        """Ask for a model and wait for the end."""
        await self.path.admission.request(RequestSwap(model=model, id=swap_id, **more))
        return await self.seen(swap_id, lambda view: view.finished_at is not None)

    async def seen(self, swap_id: str, holds: Callable[[SwapView], bool]) -> SwapView:
        """Poll a swap."""
        async with asyncio.timeout(200):
            while not holds(view := await self.view(swap_id)):
                assert view.finished_at is None, view
                await asyncio.sleep(0.03)
        return view

    async def view(self, swap_id: str) -> SwapView:
        running = self.path.worker.running
        if running is not None and running.id == swap_id:
            return running.view()
        return (await self.path.admission._store.get(swap_id)).view()

    def watched(self) -> bool:
        """Whether the watch over the load has met a Spark."""
        running = self.path.worker.running
        return running is not None and bool(running.boots)

    async def validate(self, model: str, **more: object) -> Validation:
        return await self.ask(VALIDATE_MODEL, ValidateModel(model=model, **more))

    async def plan(self, model: str) -> SwapPlan:
        return await self.ask(PLAN_SWAP, PlanSwap(model=model))

    async def ask(self, rpc: Rpc, request: Request) -> Any:
        """Answer a question the way the bus would have it answered."""
        (verb,) = [verb for verb in self.path.verbs() if verb.rpc is rpc]
        return await verb.handler(request)

    def effects(self) -> list[tuple[str, str]]:
        """Return what really changed on the Sparks."""
        entries = self.cluster.journal.after(0)
        return [(entry.host, entry.kind) for entry in entries if entry.kind not in LOOKS]

    def guard_files(self) -> list[str]:
        """Return what the guards on the Sparks remember."""
        homes = [host.sandbox.home for host in self.cluster.hosts.values()]
        return sorted(str(path) for home in homes for path in home.glob(".spark-control/**/*"))

    def pace(self, speed: float) -> None:
        """Let everything on the Sparks take place so many times faster than it really does."""
        for host in self.cluster.hosts.values():
            host.pace.speed = speed

    def memory(self, host: str = "spark1"):
        return self.cluster.hosts[host].memory


@asynccontextmanager
async def guarded(tmp_path: Path, **config: object) -> AsyncIterator[Guarded]:
    """Run one."""
    clock = SystemClock()
    async with AsyncExitStack() as exits:
        sparks = await exits.enter_async_context(two_sparks(tmp_path, **{"speed": SPEED} | config))
        settings = sparks.settings
        shell = SshShell(settings, clock, SshTimes(remember_seconds=1))
        exits.push_async_callback(shell.close)
        http = plain_client()
        exits.push_async_callback(http.aclose)
        runtime = SshRuntime(shell, http, lambda: settings)
        records, store = MemoryRecords(), MemoryJobs()
        quarantining = Quarantining(records, clock, lambda: shelf.announce())
        observer = RuntimeObserver(runtime, clock, lambda repo: shelf.key_for(repo), _nothing)
        shelf = DiskShelf(
            Hosts(shell, [Spark(host.name, host.label) for host in settings.hosts], clock),
            load_recipes(),
            LaunchSettings,
            observer,
            store,
            clock,
            _told,
            quarantining.shown,
        )
        path = assemble(
            bus=MemoryBus("swapper", MemoryBroker(clock=clock)),
            store=store,
            gate=FakeGate(),
            runtime=runtime,
            shelf=shelf,
            preflight=ParserPreflight(shell, lambda: settings.vllm_container),
            suggesting=FakeSuggesting(),
            observer=observer,
            canary=CanaryWatch(runtime, store, clock),
            quarantining=quarantining,
            guarding=lambda: GUARD,
            timings=lambda: TIMINGS,
            clock=clock,
            logs=MemoryLogs(),
            refresh_soon=shelf.refresh_soon,
            lost=lambda: None,
            unsaved=Trying(load_recipes(), LaunchSettings),
        )
        tasks = [asyncio.create_task(loop.run()) for loop in (path.teller, path.worker)]
        exits.push_async_callback(end, tasks)
        yield Guarded(sparks.cluster, path, records, shelf)


def reads_weights(host: SimulatedHost, repo: str) -> bool:
    """Whether a runtime for these weights has begun to read them."""
    runtimes = [one for one in host.runtimes.live if isinstance(one, VllmProcess)]
    return any(one.repo == repo and one.meter.read_bytes for one in runtimes)


async def _nothing() -> None:
    return


async def _told(changed: str) -> None:
    return


@pytest_asyncio.fixture
async def sparks(tmp_path: Path) -> AsyncIterator[Guarded]:
    async with guarded(tmp_path) as found:
        yield found


async def test_a_test_and_a_plan_change_nothing_and_are_quick(sparks):
    await sparks.swapped(QWEN, "one")
    before, files = sparks.effects(), sparks.guard_files()
    tested = await sparks.validate(GEMMA)
    assert (tested.ok, tested.verdict) == (True, "good"), tested
    parser = next(check for check in tested.checks if check.name == "arguments")
    assert tested.seconds - parser.seconds < 8
    plan = await sparks.plan(GEMMA)
    dry = await sparks.path.admission.request(RequestSwap(model=GEMMA, dry_run=True))
    assert sparks.effects() == before
    assert sparks.guard_files() == files
    assert await sparks.path.admission._store.live() == []

    assert (plan.stops_key, plan.in_flight, plan.blockers) == (QWEN, 0, [])
    (node,) = plan.nodes
    held = sparks.memory(node.host).held_kb * 1024
    assert node.freed_bytes == pytest.approx(held, rel=0.01)
    assert node.headroom_bytes > 20 * GIB_KB * 1024
    assert plan.back_seconds is not None
    assert plan.launch_cmd == tested.launch_cmd
    assert any(plan.launch_cmd in step for step in dry.plan)
    # What bash received is what was shown.
    await sparks.swapped(GEMMA, "two")
    launched = sparks.cluster.journal.of("runtime_launched")[-1].details["argv"]
    assert launched[1:] == tested.cmd_args
    menu = await sparks.shelf.menu(refresh=False)
    card = next(model for model in menu.models if model.key == GEMMA)
    assert (card.test.kind, card.test.verdict) == ("load", "good")


async def test_the_texts_of_vllm_decide(sparks):
    """Bad flags, a bad value and a bad parser are certain; a missing template is not."""
    cases = {
        "--bogus=1": ("bad", "unrecognized arguments: --bogus 1"),
        "--max-model-len=abc": ("bad", "argument --max-model-len: invalid"),
        "--chat-template=/no/such/file.jinja": ("unknown", "appears path-like"),
        "--seed=7": ("good", None),
    }
    for flag, (verdict, words) in cases.items():
        result = await sparks.validate(QWEN, flags=[flag])
        assert (result.verdict, result.ok) == (verdict, verdict != "bad"), (flag, result)
        assert words is None or words in result.error
    deep = await sparks.validate(QWEN, knobs=Knobs(max_model_len=999_999), deep=True)
    assert deep.verdict == "bad", deep
    assert "999999" in deep.error
    assert "greater than the derived max_model_len" in deep.error
    assert (await sparks.validate(QWEN, deep=True)).verdict == "good"


async def test_memory_that_is_short_is_refused_before_anything_is_touched(sparks):
    await sparks.cluster.behave("spark1", "low_memory")
    await sparks.shelf.menu(refresh=True)
    before, files = sparks.effects(), sparks.guard_files()
    view = await sparks.swapped(QWEN, "one")
    assert (view.phase, view.cause.code) == (Phase.FAILED, "not_enough_memory"), view
    assert "GB are missing" in view.cause.sentence
    assert [mark.phase for mark in view.phases][-2] is Phase.PREFLIGHT
    assert (sparks.effects(), sparks.guard_files()) == (before, files)
    plan = await sparks.plan(QWEN)
    assert [cause.code for cause in plan.blockers] == ["not_enough_memory"]
    assert plan.nodes[0].headroom_bytes < 0


async def test_a_port_that_somebody_else_has_is_seen_and_told_from_our_own(sparks):
    await sparks.cluster.behave("spark1", "port_taken")
    result = await sparks.validate(QWEN)
    assert (result.stage, result.cause.code) == ("port", "host_not_fit"), result
    assert "port 8888 of Spark 1" in result.error
    await sparks.cluster.behave("spark1", "ok")
    await sparks.swapped(QWEN, "one")
    assert (await sparks.validate(GEMMA)).verdict == "good"


async def test_files_that_went_away_since_the_last_look_are_missed(sparks):
    assert (await sparks.validate(QWEN)).ok
    hub = sparks.cluster.hosts["spark1"].sandbox.hub
    for blob in (hub / "models--nvidia--Qwen3.6-35B-A3B-NVFP4" / "blobs").iterdir():
        blob.unlink()
    result = await sparks.validate(QWEN)
    assert (result.stage, result.verdict) == ("files", "bad"), result
    assert "lead nowhere" in result.error


async def test_images_that_differ_are_refused_with_the_difference(tmp_path):
    other = {"spark2": {"vllm-node": "ab" * 32}}
    async with guarded(tmp_path, images=other) as sparks:
        view = await sparks.swapped(WIDE, "one")
    assert view.cause.code == "images_differ"
    assert "Spark 2 has abababababab" in view.cause.sentence


async def test_memory_that_comes_back_late_is_waited_for(sparks):
    await sparks.swapped(QWEN, "one")
    await sparks.cluster.behave("spark1", "memory_late")
    sparks.memory().return_seconds = 2.5 * SPEED
    view = await sparks.swapped(GEMMA, "two")
    assert (view.phase, view.serving) == (Phase.READY, GEMMA), view
    stopping = next(mark for mark in view.phases if mark.phase is Phase.STOPPING)
    assert stopping.seconds > 2.5


async def test_a_load_that_is_eaten_up_is_ended_and_the_old_model_is_back(sparks):
    await sparks.swapped(QWEN, "one")
    spark1 = sparks.cluster.hosts["spark1"]
    sparks.pace(25.0)
    await sparks.path.admission.request(RequestSwap(model=GEMMA, id="two"))
    await until(lambda: reads_weights(spark1, "google/gemma-4-26b-it"), "weights")
    # From here no faster than a Spark: the load would need half a minute for what the leak leaves,
    # however long the watch has to wait for its turn here.
    sparks.pace(1.0)
    await sparks.seen("two", lambda view: view.percent is not None)
    spark1.strangers.leak_gib_per_second = 50.0
    await sparks.cluster.behave("spark1", "memory_leak")
    view = await sparks.seen("two", lambda view: view.phase is Phase.ROLLING_BACK)
    await sparks.cluster.behave("spark1", "ok")
    sparks.pace(SPEED)
    view = await sparks.seen("two", lambda view: view.finished_at is not None)
    assert (view.phase, view.serving) == (Phase.ROLLED_BACK, QWEN), view
    assert view.cause.code == "low_memory_aborted"
    assert sparks.cluster.journal.of("host_frozen") == []
    card = (await sparks.shelf.menu(refresh=False)).models
    test = next(model.test for model in card if model.key == GEMMA)
    assert (test.kind, test.verdict) == ("load", "bad")


async def test_a_model_that_took_its_spark_down_is_refused_until_it_is_cleared(sparks):
    await sparks.cluster.behave("spark1", "freeze_on_load")
    sparks.pace(60.0)
    await sparks.path.admission.request(RequestSwap(model=QWEN, id="one"))
    await until(lambda: bool(sparks.cluster.hosts["spark1"].runtimes.live), "a load")
    sparks.pace(1.0)  # until the watch has met the Spark that is going to hang
    await until(sparks.watched, "a look of the watch")
    sparks.pace(60.0)
    view = await sparks.seen("one", lambda view: view.finished_at is not None)
    assert (view.phase, view.cause.code) == (Phase.FAILED, "host_went_down"), view
    assert sparks.cluster.journal.of("host_restarted")
    await sparks.cluster.behave("spark1", "ok")
    sparks.pace(SPEED)
    menu = await sparks.shelf.menu(refresh=True)
    card = next(model for model in menu.models if model.key == QWEN)
    assert "Spark 1" in card.quarantine.reason
    with pytest.raises(QuarantinedError):
        await sparks.path.admission.request(RequestSwap(model=QWEN))
    assert (await sparks.validate(QWEN)).stage == "quarantine"
    assert [cause.code for cause in (await sparks.plan(QWEN)).blockers] == ["quarantined"]
    cleared = await sparks.ask(CLEAR_QUARANTINE, ClearQuarantine(model=QWEN))
    assert cleared.was == card.quarantine

    numbers = itertools.count()

    async def loaded() -> bool:
        try:
            view = await sparks.swapped(QWEN, f"again-{next(numbers)}")
        except SparkError:
            return False
        return view.phase is Phase.READY

    await until(loaded, "the model", 90)


async def test_the_page_cache_is_dropped_when_asked_and_the_load_is_fast_again(sparks):
    for container, swap_id in ((False, "one"), (True, "two")):
        await sparks.cluster.behave("spark1", "ok")
        await sparks.cluster.behave("spark1", "cache_full")
        model = GEMMA if container else QWEN
        view = await sparks.swapped(model, swap_id, drop_caches=True)
        assert view.phase is Phase.READY, view
        assert sparks.memory().load_factor == 1.0
