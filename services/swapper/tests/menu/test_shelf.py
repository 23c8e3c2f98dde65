import asyncio

import pytest

from spark_common.contracts.models import Menu, ModelView, RuntimeView
from spark_common.errors import (
    HostUnreachableError,
    ModelNotReadyError,
    UnavailableError,
    UnknownModelError,
)
from spark_common.testing import FakeClock
from spark_swapper.launching.launch import LaunchSettings
from spark_swapper.menu.hosts import Hosts, Spark
from spark_swapper.menu.shelf import DiskShelf
from spark_swapper.ports import Shelf
from spark_swapper.recipes import load_recipes

QWEN = "nvidia/Qwen3.6-35B-A3B-NVFP4"
GEMMA = "google/gemma-4-26b-it"
MINIMAX = "MiniMaxAI/MiniMax-M2.7-AWQ"
NEMOTRON = "nvidia/Nemotron-3-Nano-30B-A3B-FP8"
SCOUT = "nvidia/Llama-4-Scout-17B-16E-NVFP4"


class Watch:
    """What is loaded, as a test says."""

    def __init__(self) -> None:
        self.runtime = RuntimeView(state="idle")

    def view(self) -> RuntimeView:
        return self.runtime


class Times:
    """Medians of earlier swaps; away when ``trouble`` is set."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.trouble: UnavailableError | None = None

    async def usual_seconds(self, key: str) -> float | None:
        if self.trouble:
            raise self.trouble
        return self.seconds.get(key)


class Bench:
    """A shelf over two folders, and everything around it."""

    def __init__(self, hubs, shell) -> None:
        self.hubs = hubs
        self.shell = shell
        self.clock = FakeClock()
        self.watch = Watch()
        self.times = Times()
        self.told: list[str] = []
        self.deaf = False
        sparks = [Spark("spark1", "Spark 1"), Spark("spark2", "Spark 2")]
        self.shelf = DiskShelf(
            Hosts(shell, sparks, self.clock),
            load_recipes(),
            LaunchSettings,
            self.watch,
            self.times,
            self.clock,
            self._tell,
        )

    async def _tell(self, reason: str) -> None:
        if self.deaf:
            raise UnavailableError("the bus is away")
        self.told.append(reason)

    async def card(self, key: str) -> ModelView:
        menu = await self.shelf.menu(refresh=True)
        return next(model for model in menu.models if model.key == key)


@pytest.fixture
def bench(hubs, folder_shell) -> Bench:
    return Bench(hubs, folder_shell)


def test_it_is_what_the_swap_path_asks_for(bench) -> None:
    shelf: Shelf = bench.shelf
    assert shelf.key_for(QWEN) == "qwen3.6-35b-a3b"
    assert shelf.key_for("nobody/knows") is None


async def test_the_menu_is_what_is_on_the_disks(bench) -> None:
    bench.hubs["spark1"].add(QWEN, shards=2, shard_bytes=3_000_000)
    bench.hubs["spark1"].add(GEMMA)
    bench.hubs["spark2"].add(GEMMA)
    menu = await bench.shelf.menu(refresh=True)
    assert [model.key for model in menu.models] == ["gemma-4-26b", "qwen3.6-35b-a3b"]
    qwen = menu.models[1]
    assert (qwen.name, qwen.repo, qwen.served_name) == ("Qwen3.6 35B A3B", QWEN, qwen.key)
    assert (qwen.state, qwen.mode, qwen.loaded) == ("ready", "solo", False)
    assert [copy.host for copy in menu.models[0].copies] == ["spark1", "spark2"]
    assert 6_000_000 <= (qwen.size_bytes or 0) < 6_001_000
    assert qwen.context_length == 262144
    assert {"chat", "tools", "reasoning", "vision"} == set(qwen.capabilities)
    assert {"gpt-oss-120b", "minimax-m2.7"} < {recipe.key for recipe in menu.recipes}
    assert menu.as_of == bench.clock.now()


async def test_the_menu_never_waits_for_a_spark(bench) -> None:
    bench.hubs["spark1"].add(QWEN)
    menu = await bench.shelf.menu(refresh=False)
    assert bench.shell.commands == 0
    assert menu.models == []
    assert {host.state for host in menu.hosts} == {"unknown"}


async def test_a_model_without_a_recipe_needs_to_be_set_up(bench) -> None:
    bench.hubs["spark1"].add(NEMOTRON)
    card = await bench.card("nemotron-3-nano-30b-a3b-fp8")
    assert (card.state, card.name) == ("needs_setup", "Nemotron-3-Nano-30B-A3B-FP8")
    assert (card.capabilities, card.context_length) == ([], 4096)
    with pytest.raises(ModelNotReadyError, match="no recipe yet"):
        await bench.shelf.find(NEMOTRON)
    assert bench.shelf.key_for(NEMOTRON) == card.key


async def test_two_strangers_of_one_name_have_two_keys(bench) -> None:
    bench.hubs["spark1"].add("alice/Model-X")
    bench.hubs["spark1"].add("bob/model-x")
    menu = await bench.shelf.menu(refresh=True)
    assert sorted(model.key for model in menu.models) == ["bob--model-x", "model-x"]


async def test_half_a_model_is_incomplete(bench) -> None:
    bench.hubs["spark1"].add(SCOUT, shards=4, present=2)
    assert (await bench.card("llama-4-scout")).state == "incomplete"
    with pytest.raises(ModelNotReadyError, match="resume its download"):
        await bench.shelf.find("llama-4-scout")


async def test_a_running_download_is_one(bench) -> None:
    bench.hubs["spark1"].add(SCOUT, shards=4, present=2)
    bench.hubs["spark1"].add_partial(SCOUT, 1000)
    card = await bench.card("llama-4-scout")
    assert (card.state, card.copies[0].state) == ("downloading", "downloading")
    with pytest.raises(ModelNotReadyError, match="still being downloaded"):
        await bench.shelf.find("llama-4-scout")


async def test_one_whole_copy_is_enough_for_a_solo_model(bench) -> None:
    bench.hubs["spark1"].add(GEMMA, shards=2, present=1)
    bench.hubs["spark2"].add(GEMMA)
    assert (await bench.shelf.find("gemma-4-26b")).hosts == ("spark2",)


async def test_a_cluster_model_needs_its_files_on_both_sparks(bench) -> None:
    bench.hubs["spark1"].add(MINIMAX)
    assert (await bench.card("minimax-m2.7")).state == "incomplete"
    with pytest.raises(ModelNotReadyError, match="Spark 2 lacks them"):
        await bench.shelf.find("minimax-m2.7")
    bench.hubs["spark2"].add(MINIMAX)
    candidate = await bench.shelf.find("minimax-m2.7")
    assert (candidate.hosts, candidate.head) == (("spark1", "spark2"), "spark1")
    assert "--solo" not in candidate.launch_argv


async def test_a_cluster_model_on_a_single_spark_says_what_it_needs(hubs, folder_shell) -> None:
    bench = Bench(hubs, folder_shell)
    one = Hosts(folder_shell, [Spark("spark1", "Spark 1")], bench.clock)
    shelf = DiskShelf(
        one, load_recipes(), LaunchSettings, bench.watch, bench.times, bench.clock, bench._tell
    )
    hubs["spark1"].add(MINIMAX)
    with pytest.raises(ModelNotReadyError, match="needs 2 Sparks, and the cluster has 1"):
        await shelf.find("minimax-m2.7")


@pytest.mark.parametrize("name", ["qwen3.6-35b-a3b", QWEN, QWEN.lower(), " Qwen3.6-35B-A3B "])
async def test_a_model_is_found_by_every_name_it_has(bench, name) -> None:
    bench.hubs["spark1"].add(QWEN)
    candidate = await bench.shelf.find(name)
    assert (candidate.key, candidate.repo, candidate.hosts) == (
        "qwen3.6-35b-a3b",
        QWEN,
        ("spark1",),
    )
    assert candidate.vllm_argv[0] == QWEN
    assert candidate.image == "vllm-node"
    assert candidate.served_name in candidate.vllm_argv


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("qwen", ["qwen3.6-35b-a3b"]),
        ("Qwen3.6-35B-A3", ["qwen3.6-35b-a3b"]),
        ("gema-4-26b", ["gemma-4-26b"]),
        ("gpt-oss-120", ["gpt-oss-120b"]),
    ],
)
async def test_an_unknown_name_comes_back_with_what_is_close(bench, asked, near) -> None:
    bench.hubs["spark1"].add(QWEN)
    bench.hubs["spark1"].add(GEMMA)
    with pytest.raises(UnknownModelError) as refused:
        await bench.shelf.find(asked)
    assert refused.value.details["near"][:1] == near


async def test_a_name_like_nothing_has_nothing_near(bench) -> None:
    bench.hubs["spark1"].add(QWEN)
    with pytest.raises(UnknownModelError) as refused:
        await bench.shelf.find("zzzzzz")
    assert refused.value.details["near"] == []


async def test_a_recipe_whose_model_is_on_no_disk_says_so(bench) -> None:
    bench.hubs["spark1"].add(QWEN)
    with pytest.raises(ModelNotReadyError, match="download openai/gpt-oss-120b first"):
        await bench.shelf.find("gpt-oss-120b")


async def test_it_looks_again_before_it_refuses(bench) -> None:
    """A download that ended a second ago must not be refused from memory."""
    bench.hubs["spark1"].add(QWEN)
    await bench.shelf.menu(refresh=True)
    await bench.clock.advance(1)
    bench.hubs["spark1"].add(GEMMA)
    assert (await bench.shelf.find("gemma-4-26b")).key == "gemma-4-26b"


async def test_it_does_not_look_again_for_what_it_just_saw(bench) -> None:
    bench.hubs["spark1"].add(QWEN)
    await bench.shelf.menu(refresh=True)
    await bench.shelf.find("qwen3.6-35b-a3b")
    assert bench.shell.commands == 2
    await bench.clock.advance(61)
    await bench.shelf.find("qwen3.6-35b-a3b")
    assert bench.shell.commands == 4


async def test_a_copy_on_a_dead_spark_is_shown_stale_and_not_started(bench) -> None:
    bench.hubs["spark1"].add(QWEN)
    await bench.shelf.menu(refresh=True)
    bench.shell.trouble["spark1"] = HostUnreachableError("no route to host")
    menu = await bench.shelf.menu(refresh=True)
    assert (menu.models[0].state, menu.models[0].copies[0].stale) == ("ready", True)
    assert menu.hosts[0].state == "unreachable"
    with pytest.raises(HostUnreachableError, match=r"is on Spark 1\. No route to host"):
        await bench.shelf.find("qwen3.6-35b-a3b")


async def test_a_living_copy_is_preferred_to_one_on_a_dead_spark(bench) -> None:
    bench.hubs["spark1"].add(GEMMA)
    bench.hubs["spark2"].add(GEMMA)
    assert (await bench.shelf.find("gemma-4-26b")).hosts == ("spark1",)
    bench.shell.trouble["spark1"] = HostUnreachableError("no route to host")
    await bench.shelf.menu(refresh=True)
    assert (await bench.shelf.find("gemma-4-26b")).hosts == ("spark2",)


async def test_what_no_disk_has_may_be_on_a_spark_that_was_never_seen(bench) -> None:
    bench.hubs["spark2"].add(GEMMA)
    away = HostUnreachableError("Spark 1 does not answer", host="spark1")
    bench.shell.trouble = {"spark1": away}
    with pytest.raises(HostUnreachableError, match=r"may be on Spark 1, which was never looked at"):
        await bench.shelf.find("gpt-oss-120b")
    assert (await bench.shelf.find("gemma-4-26b")).head == "spark2"
    bench.shell.trouble = {}
    with pytest.raises(ModelNotReadyError, match="download openai/gpt-oss-120b first"):
        await bench.shelf.find("gpt-oss-120b")


async def test_with_no_spark_ever_seen_nobody_can_tell(bench) -> None:
    for host in ("spark1", "spark2"):
        bench.shell.trouble[host] = HostUnreachableError("no route to host")
    with pytest.raises(UnavailableError, match="no Spark could be looked at: No route to host"):
        await bench.shelf.find("qwen3.6-35b-a3b")


async def test_what_serves_is_marked_and_stays_even_without_files(bench) -> None:
    bench.hubs["spark1"].add(QWEN)
    bench.watch.runtime = RuntimeView(state="serving", model="qwen3.6-35b-a3b")
    assert (await bench.card("qwen3.6-35b-a3b")).loaded
    bench.watch.runtime = RuntimeView(state="serving", model="gpt-oss-120b")
    card = await bench.card("gpt-oss-120b")
    assert (card.state, card.loaded, card.copies, card.size_bytes) == ("missing", True, [], None)


async def test_cards_know_how_long_a_load_takes_while_somebody_remembers(bench) -> None:
    bench.hubs["spark1"].add(QWEN)
    bench.times.seconds["qwen3.6-35b-a3b"] = 84.5
    assert (await bench.card("qwen3.6-35b-a3b")).load_seconds == 84.5
    bench.times.trouble = UnavailableError("redis is away")
    assert (await bench.card("qwen3.6-35b-a3b")).load_seconds is None


async def test_only_a_real_change_is_told(bench) -> None:
    bench.hubs["spark1"].add(QWEN)
    await bench.shelf.menu(refresh=True)
    await bench.clock.advance(30)
    await bench.shelf.menu(refresh=True)
    assert bench.told == []
    bench.hubs["spark2"].add(GEMMA)
    await bench.shelf.menu(refresh=True)
    assert bench.told == ["models"]
    bench.watch.runtime = RuntimeView(state="serving", model="qwen3.6-35b-a3b")
    await bench.shelf.announce()
    assert bench.told == ["models", "models, runtime"]
    bench.shell.trouble["spark2"] = HostUnreachableError("no route to host")
    await bench.shelf.menu(refresh=True)
    assert bench.told[2:] == ["models, hosts"]


async def test_a_change_nobody_could_hear_is_told_later(bench) -> None:
    await bench.shelf.menu(refresh=True)
    bench.deaf = True
    bench.hubs["spark1"].add(QWEN)
    menu = await bench.shelf.menu(refresh=True)
    assert [model.key for model in menu.models] == ["qwen3.6-35b-a3b"]
    bench.deaf = False
    await bench.shelf.menu(refresh=True)
    assert bench.told == ["models"]


async def test_the_disks_are_looked_at_every_half_minute(bench) -> None:
    looked = asyncio.Event()
    bench.shell.before = lambda host: looked.set()
    task = asyncio.create_task(bench.shelf.keep_fresh())
    try:
        for seconds in (0, 30, 30):
            await bench.clock.advance(seconds)
            await asyncio.wait_for(looked.wait(), 60)
            looked.clear()
            # The next wait begins when the real programs have answered.
            async with asyncio.timeout(60):
                while not bench.clock.sleepers:
                    await asyncio.sleep(0.01)
            looked.clear()
        assert bench.shell.commands == 6
    finally:
        task.cancel()


async def test_the_menu_is_json(bench) -> None:
    bench.hubs["spark1"].add(QWEN)
    menu = await bench.shelf.menu(refresh=True)
    assert Menu.model_validate_json(menu.model_dump_json()) == menu
