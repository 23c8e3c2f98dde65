"""Menu from disk and deletion over real NATS, Redis and SSH, against two simulated Sparks."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from spark_common.bus.nats import connect_bus
from spark_common.clock import SystemClock
from spark_common.contracts.disk import (
    DELETE_FROM_DISK,
    PLAN_DELETE,
    Deleted,
    DeleteFromDisk,
    DeletePlan,
    PlanDelete,
)
from spark_common.contracts.models import LIST_MODELS, ListModels, Menu
from spark_common.contracts.swaps import REQUEST_SWAP, RequestSwap
from spark_common.errors import ConflictError, ModelInUseError
from spark_common.plain_http import plain_client
from spark_common.redis_access import connect_redis
from spark_common.remote import RemoteCommand, RemoteResult
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.settings import HttpSettings
from spark_common.tasks import end
from spark_common.testing.fixtures import nats_server, redis_server  # noqa: F401
from spark_sim.cluster import SimulatedCluster
from spark_sim.two_sparks import two_sparks
from spark_swapper.app import Swapper, wire
from spark_swapper.settings import SwapperSettings, SwapTimings

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

ROOTS = "smollm3-3b"
BOTH = "qwen3-8b-fp8"


@dataclass
class Stack:
    """A swapper that can be killed, and whoever asks it."""

    settings: SwapperSettings
    cluster: SimulatedCluster
    asker: object
    swapper: Swapper | None = None
    shell: SshShell | None = None
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)
    closers: list[object] = field(default_factory=list)

    async def start(self) -> None:
        clock = SystemClock()
        bus = await connect_bus(self.settings.bus, "swapper", clock)
        redis = connect_redis(self.settings.redis, "swapper", idempotent_reads=True)
        http = plain_client()
        shell = SshShell(self.settings.cluster, clock, SshTimes(remember_seconds=1))
        self.shell = shell
        self.closers = [redis.aclose, http.aclose, shell.close, bus.close]
        swapper = wire(self.settings, bus=bus, redis=redis, shell=shell, http=http, clock=clock)
        await bus.serve("swapper", "0.1.0", "test", swapper.verbs())
        self.tasks = [asyncio.create_task(swapper.path.worker.run())]
        self.swapper = swapper

    async def kill(self) -> None:
        await end(self.tasks)
        for close in self.closers:
            await close()

    async def menu(self) -> Menu:
        return await self.asker.call(LIST_MODELS, ListModels(refresh=True), timeout_seconds=30)

    async def plan(self, model: str) -> DeletePlan:
        return await self.asker.call(PLAN_DELETE, PlanDelete(model=model), timeout_seconds=30)

    async def delete(self, model: str, *hosts: str) -> Deleted:
        request = DeleteFromDisk(model=model, hosts=list(hosts))
        return await self.asker.call(DELETE_FROM_DISK, request, timeout_seconds=60)

    async def ssh(self, *argv: str) -> RemoteResult:
        assert self.shell is not None
        return await self.shell.run("spark1", RemoteCommand(argv=argv))

    def hub(self, host: str) -> Path:
        return self.cluster.hosts[host].sandbox.hub


@pytest_asyncio.fixture
async def stack(nats_server, redis_server, tmp_path) -> AsyncIterator[Stack]:  # noqa: F811
    # Where everybody may go: the SSH user of these Sparks is not root.
    directory = Path(tempfile.mkdtemp(prefix="sparks-"))
    directory.chmod(0o755)
    try:
        async with two_sparks(
            tmp_path, directory=directory, speed=200.0, plain_user=True
        ) as sparks:
            settings = SwapperSettings(
                bus=nats_server.settings("swapper"),
                redis=redis_server.settings,
                http=HttpSettings(bind_port=1),
                cluster=sparks.settings,
                timings=SwapTimings(),
                data_dir=tmp_path / "data",
            )
            asker = await connect_bus(nats_server.settings("gateway"), "gateway", SystemClock())
            stack = Stack(settings, sparks.cluster, asker)
            await stack.start()
            try:
                yield stack
            finally:
                await stack.kill()
                await asker.close()
    finally:
        shutil.rmtree(directory)


async def test_every_shape_of_the_caches_is_on_the_menu_as_it_is(stack) -> None:
    menu = await stack.menu()
    states = {(card.key, copy.host): copy.state for card in menu.models for copy in card.copies}
    assert {
        place: states[place]
        for place in (
            (BOTH, "spark1"), (BOTH, "spark2"), (ROOTS, "spark1"), ("gpt-oss-20b", "spark2"),
            ("llama-3.1-8b-instruct", "spark1"), ("llama-3.1-8b-instruct", "spark2"),
            ("phi-4", "spark2"), ("deepseek-r1-distill-qwen-14b", "spark2"),
            ("glm-4.1v-9b-thinking", "spark2"), ("olmo-3-7b-instruct", "spark1"),
            ("falcon-h1-7b-instruct", "spark2"),
        )
    } == {
        (BOTH, "spark1"): "ready", (BOTH, "spark2"): "ready", (ROOTS, "spark1"): "ready",
        ("gpt-oss-20b", "spark2"): "ready",
        ("llama-3.1-8b-instruct", "spark1"): "ready",
        ("llama-3.1-8b-instruct", "spark2"): "broken",
        ("phi-4", "spark2"): "incomplete",
        ("deepseek-r1-distill-qwen-14b", "spark2"): "incomplete",
        ("glm-4.1v-9b-thinking", "spark2"): "broken",
        ("olmo-3-7b-instruct", "spark1"): "incomplete",
        ("falcon-h1-7b-instruct", "spark2"): "no_snapshot",
    }  # fmt: skip
    cards = {card.key: card for card in menu.models}
    assert cards["gpt-oss-20b"].size_bytes == pytest.approx(13.8e9, rel=1e-3)
    assert cards["bge-m3"].size_bytes == pytest.approx(2.3e9, rel=1e-3)
    assert [copy.root_owned for copy in cards[ROOTS].copies] == [True]
    assert [copy.root_owned for copy in cards[BOTH].copies] == [False, False]
    (phi,) = cards["phi-4"].copies
    assert len(phi.missing) == 1
    assert phi.missing[0].startswith("model-")


async def test_a_deletion_frees_what_its_plan_says(stack) -> None:
    plan = await stack.plan(BOTH)
    assert [place.label for place in plan.places] == ["Spark 1", "Spark 2"]
    done = await stack.delete(BOTH)
    assert done.complete
    assert done.freed_bytes == pytest.approx(plan.frees_bytes, abs=1000)
    after = {host.name: host.disk_free_bytes for host in (await stack.menu()).hosts}
    for place in plan.places:
        assert after[place.host] == pytest.approx(place.free_after_bytes, abs=10_000)
    assert BOTH not in {card.key for card in (await stack.menu()).models}


async def test_one_ssh_command_per_spark_looks_and_one_deletes(stack) -> None:
    await stack.menu()
    before = len(stack.cluster.journal.of("ssh_command"))
    await stack.menu()
    assert len(stack.cluster.journal.of("ssh_command")) == before + 2


async def test_what_root_owns_goes_through_a_container(stack) -> None:
    plan = await stack.plan(ROOTS)
    assert [place.root_owned for place in plan.places] == [True]
    assert any("belong to root" in note for note in plan.notes)
    done = await stack.delete(ROOTS)
    assert (done.complete, done.places[0].problem) == (True, None)
    assert done.freed_bytes == pytest.approx(6.2e9, rel=1e-3)
    names = [path.name for path in stack.hub("spark1").iterdir()]
    assert [name for name in names if "SmolLM3" in name] == []


async def test_without_its_image_the_running_container_does_it(stack) -> None:
    host = stack.cluster.hosts["spark1"]
    cache = f"{host.sandbox.hub.parent}:/root/.cache/huggingface"
    run = ("docker", "run", "-d", "--name", "vllm_node", "-v", cache, "vllm-node", "sleep", "9999")
    assert (await stack.ssh(*run)).ok
    host.engine.images.by_tag.clear()
    done = await stack.delete(ROOTS)
    assert (done.complete, done.places[0].problem) == (True, None)
    assert not (stack.hub("spark1") / "models--HuggingFaceTB--SmolLM3-3B").exists()


async def test_what_nobody_may_remove_is_said_and_swept_later(stack) -> None:
    host = stack.cluster.hosts["spark1"]
    host.engine.images.by_tag.clear()
    refused = await stack.delete(ROOTS)
    assert not refused.complete
    assert "belong to somebody else" in (refused.places[0].problem or "")
    assert ROOTS not in {card.key for card in (await stack.menu()).models}
    assert stack.swapper is not None
    assert stack.swapper.shelf.sights[0].look.leftovers == (
        ".deleting-models--HuggingFaceTB--SmolLM3-3B",
    )
    host.engine.images.by_tag["vllm-node"] = "a" * 64
    await stack.swapper.leftovers.sweep()
    await stack.menu()
    assert stack.swapper.shelf.sights[0].look.leftovers == ()


async def test_a_queued_swap_keeps_its_model(stack) -> None:
    await end(stack.tasks)
    await stack.menu()
    await stack.asker.call(REQUEST_SWAP, RequestSwap(model="gemma-4-26b"), timeout_seconds=30)
    with pytest.raises(ModelInUseError, match="cancel it first"):
        await stack.delete("gemma-4-26b")
    assert (stack.hub("spark2") / "models--google--gemma-4-26b-it").is_dir()


async def test_a_spark_that_is_off_is_remembered_over_a_restart(stack) -> None:
    before = await stack.menu()
    await stack.kill()
    await stack.cluster.behave("spark2", "unreachable")
    await stack.start()
    menu = await stack.menu()
    second = menu.hosts[1]
    assert (second.state, second.seen_at) == ("unreachable", before.hosts[1].seen_at)
    card = next(card for card in menu.models if card.key == "gpt-oss-20b")
    assert [(copy.host, copy.stale) for copy in card.copies] == [("spark2", True)]
    done = await stack.delete(BOTH)
    assert not done.complete
    first, away = done.places
    assert first.problem is None
    assert "does not answer" in (away.problem or "")


async def test_a_local_model_that_a_recipe_names_is_looked_at_and_kept(stack) -> None:
    folder = stack.hub("spark1").parent / "tuned"
    folder.mkdir()
    with (folder / "model.safetensors").open("wb") as stream:
        stream.truncate(5_000_000)
    folder.chmod(0o755)
    stack.settings.data_dir.mkdir(exist_ok=True)
    (stack.settings.data_dir / "models.override.yaml").write_text(
        f"models:\n  tuned:\n    name: Tuned\n    local_path: {folder}\n"
    )
    card = next(card for card in (await stack.menu()).models if card.key == "tuned")
    assert (card.local_path, card.size_bytes, card.state) == (str(folder), 5_000_000, "ready")
    with pytest.raises(ConflictError, match="is a local model"):
        await stack.delete("tuned")
    assert folder.is_dir()
