"""Swaps of the whole swapper: what comes of them, by every door."""

import pytest

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
    LIST_SWAPS,
    CancelSwap,
    ListSwaps,
    Phase,
)
from spark_common.errors import (
    AlreadyLoadedError,
    NotFoundError,
    UnavailableError,
    UnknownModelError,
)
from spark_common.events import SwapRequested
from spark_common.testing.wait import until

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

QWEN, GEMMA = "qwen3.6-35b-a3b", "gemma-4-26b"


async def test_load_then_swap_then_the_menu_shows_it(stack):
    first = await stack.request(QWEN, requested_by="Alice", id="first")
    assert first.phase is Phase.QUEUED
    view = await stack.ended("first")
    assert view.phase is Phase.READY, stack.words(view)
    assert (view.serving, view.previous) == (QWEN, None)

    again = await stack.request(QWEN, requested_by="Alice", id="first")
    assert again.phase is Phase.READY
    with pytest.raises(AlreadyLoadedError):
        await stack.request(QWEN)
    with pytest.raises(UnknownModelError) as unknown:
        await stack.request("qwen3.6-35b")
    assert QWEN in unknown.value.details["near"]

    view = await stack.swapped(GEMMA, "second")
    assert view.phase is Phase.READY, stack.words(view)
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
    assert view.phase is Phase.READY, stack.words(view)
    assert {entry.host for entry in stack.cluster.journal.of("container_started")} == {
        "spark1",
        "spark2",
    }
    view = await stack.swapped(QWEN, "narrow")
    assert view.phase is Phase.READY, stack.words(view)
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
    if behaviour == "hang":
        await stack.again(hasty=True)
    try:
        view = await stack.swapped(GEMMA, "bad")
    except UnavailableError:
        # An unreachable Spark may be known before admission.
        assert behaviour == "unreachable"
    else:
        assert view.phase is Phase.FAILED, stack.words(view)
        assert view.cause is not None
        assert codes is None or view.cause.code in codes, stack.words(view)
    await stack.cluster.behave("all", "ok")
    if behaviour == "hang":
        await stack.again()
    view = await stack.swapped_at_last(GEMMA)
    assert view.serving == GEMMA


async def test_a_failed_swap_brings_the_previous_model_back_when_asked(stack):
    await stack.swapped(QWEN, "good")
    stack.slow_down()
    await stack.request(GEMMA, id="bad", rollback=True)
    await stack.until("bad", lambda view: view.phase is Phase.LOADING)
    await stack.cluster.behave("all", "oom_on_load")
    stack.slow_down(20.0)
    await stack.until("bad", lambda view: view.phase is Phase.ROLLING_BACK)
    await stack.cluster.behave("all", "ok")
    stack.hurry()
    view = await stack.ended("bad")
    assert (view.phase, view.serving) == (Phase.ROLLED_BACK, QWEN), stack.words(view)


async def test_cancelling_a_load_empties_the_gpu(stack):
    stack.slow_down()
    await stack.request(QWEN, id="one")
    await stack.until("one", lambda view: view.phase is Phase.LOADING)
    await stack.asker.call(CANCEL_SWAP, CancelSwap(id="one", requested_by="Bob"))
    view = await stack.ended("one")
    assert (view.phase, view.serving) == (Phase.CANCELLED, None), stack.words(view)
    assert not stack.cluster.hosts["spark1"].engine.containers


async def known(stack, swap_id: str) -> bool:
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


async def test_a_dry_run_plans_and_touches_nothing(stack):
    view = await stack.request(QWEN, dry_run=True)
    assert (view.phase, view.dry_run, view.cause) == (Phase.PREFLIGHT, True, None)
    assert view.finished_at is not None
    assert any("vllm serve nvidia/Qwen3.6-35B-A3B-NVFP4" in step for step in view.plan)
    assert stack.launches() == []


async def test_a_model_without_a_recipe_gets_one_from_its_own_files(stack):
    nemotron = "nvidia/Nemotron-3-Nano-30B-A3B-FP8"
    suggestion = await stack.asker.call(
        SUGGEST_RECIPE, SuggestRecipe(repo=nemotron), timeout_seconds=30
    )
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
        await stack.asker.call(
            SUGGEST_RECIPE, SuggestRecipe(repo="nvidia/Nemotron-3-Nano"), timeout_seconds=30
        )
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
        assert (view.phase, view.cause.code) == (Phase.FAILED, code), stack.words(view)
        assert view.serving is None
    await stack.cluster.behave("all", "ok")
    assert not spark.engine.containers
    await until(lambda: not spark.runtimes.live, "the last process is gone")
    await until(lambda: spark.memory.available_gib == pytest.approx(free), "memory is back")
    view = await stack.swapped(GEMMA, "good")
    assert (view.phase, view.serving) == (Phase.READY, GEMMA), stack.words(view)

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
