"""Deleting on fakes: what refuses it, what it orders, what it says."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from spark_common.contracts.disk import DeleteFromDisk
from spark_common.contracts.models import RuntimeView
from spark_common.contracts.swaps import Phase
from spark_common.errors import (
    ConflictError,
    DeadlineExceededError,
    HostUnreachableError,
    ModelInUseError,
    ModelNotReadyError,
    NotFoundError,
    SparkError,
    UnavailableError,
    UnknownModelError,
)
from spark_common.remote import RemoteResult
from spark_common.testing import FakeClock
from spark_swapper.disk import DiskDeletion, Leftovers
from spark_swapper.launching.launch import LaunchSettings
from spark_swapper.menu.hosts import Hosts, Spark
from spark_swapper.menu.shelf import DiskShelf
from spark_swapper.recipes import load_recipes
from spark_swapper.records.jobs import first_job
from spark_swapper.testing import FakeLoaded, MemoryMarks

pytestmark = pytest.mark.connected

GEMMA, KEY = "google/gemma-4-26b-it", "gemma-4-26b"
SPARKS = (Spark("spark1", "Spark 1"), Spark("spark2", "Spark 2"))


class HubShell:
    """A RemoteShell whose Sparks are the hubs of a test."""

    def __init__(self, hubs) -> None:
        self.hubs = hubs
        self.trouble: dict[str, SparkError] = {}
        self.orders: list[tuple[str, tuple[str, ...]]] = []
        self.meanwhile = None

    async def run(self, host, command, *, timeout_seconds=30.0) -> RemoteResult:
        self.orders.append((host, command.argv[2:]))
        if host in self.trouble:
            raise self.trouble[host]
        if self.meanwhile is not None and command.argv[2] == "delete":
            await self.meanwhile()
        return await asyncio.to_thread(self.hubs[host].run, command)

    async def home(self, host: str) -> str:
        return str(self.hubs[host].home)


class Bench:
    """A deletion over two folders, and everything it asks."""

    def __init__(self, hubs) -> None:
        self.hubs = hubs
        self.clock = FakeClock()
        self.shell = HubShell(hubs)
        self.loaded = FakeLoaded()
        self.marks = MemoryMarks()
        self.busy: str | None = None
        self.local: list[str] = []
        self.told: list[str] = []
        self.hosts = Hosts(self.shell, SPARKS, self.clock, local_paths=lambda: self.local)
        self.shelf = DiskShelf(
            self.hosts, load_recipes(), LaunchSettings(), self.loaded, self, self.clock,
            self._tell, deleting=self.marks.held,
        )  # fmt: skip
        self.deletion = DiskDeletion(
            shelf=self.shelf, shell=self.shell, loaded=self.loaded, swaps=self.loaded,
            marks=self.marks, image="vllm-node", container="vllm_node", busy_with=self._busy_with,
        )  # fmt: skip

    async def usual_seconds(self, key: str) -> float | None:
        return None

    async def delete(self, model: str = KEY, *hosts: str):
        return await self.deletion.delete(DeleteFromDisk(model=model, hosts=list(hosts)))

    def swap(self, model: str, phase: Phase = Phase.QUEUED, previous: str | None = None) -> None:
        job = first_job(
            swap_id="s", model=model, model_name=model, requested_by="Bob",
            at=datetime(2026, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        self.loaded.jobs.append(job.model_copy(update={"phase": phase, "previous": previous}))

    async def _tell(self, reason: str) -> None:
        self.told.append(reason)

    async def _busy_with(self, repo: str) -> str | None:
        return self.busy


@pytest.fixture
def bench(tmp_path: Path, make_hub) -> Bench:
    bench = Bench({spark.name: make_hub(tmp_path / spark.name) for spark in SPARKS})
    for hub in bench.hubs.values():
        hub.add(GEMMA)
    return bench


async def test_it_goes_everywhere_and_so_does_the_card(bench) -> None:
    await bench.shelf.menu(refresh=True)
    plan = await bench.deletion.plan(KEY)
    assert [(p.label, p.frees_bytes) for p in plan.places] == [("Spark 1", 1000), ("Spark 2", 1000)]
    assert plan.frees_bytes == 2000
    assert (plan.places[0].free_after_bytes or 0) - (plan.places[0].free_bytes or 0) == 1000
    assert plan.blockers == []
    assert any("settings stay" in note for note in plan.notes)
    done = await bench.delete()
    assert (done.complete, [p.problem for p in done.places]) == (True, [None, None])
    assert done.freed_bytes == 2080
    menu = await bench.shelf.menu(refresh=False)
    assert [model.key for model in menu.models] == []
    assert KEY in {recipe.key for recipe in menu.recipes}
    assert bench.told[-1] == "models"
    assert bench.marks.marked == set()


async def test_a_plan_touches_nothing(bench) -> None:
    await bench.deletion.plan(GEMMA)
    assert {words[0] for _, words in bench.shell.orders} == {"list"}
    assert bench.marks.marked == set()


async def test_one_round_trip_per_spark_deletes(bench) -> None:
    await bench.delete()
    orders = [(host, words) for host, words in bench.shell.orders if words[0] == "delete"]
    words = ("delete", "vllm-node", "vllm_node", "models--google--gemma-4-26b-it")
    assert orders == [("spark1", words), ("spark2", words)]


async def test_only_where_it_was_asked_for(bench) -> None:
    done = await bench.delete(KEY, "spark2")
    assert [place.host for place in done.places] == ["spark2"]
    assert bench.hubs["spark1"].names() == ["models--google--gemma-4-26b-it"]
    assert bench.hubs["spark2"].names() == []
    again = await bench.delete(KEY, "spark2")
    assert (again.complete, again.freed_bytes) == (True, 0)


async def test_again_is_harmless(bench) -> None:
    await bench.delete()
    again = await bench.delete()
    assert (again.complete, again.freed_bytes, again.places) == (True, 0, [])


@pytest.mark.parametrize(
    "runtime",
    [
        RuntimeView(state="serving", model=KEY, served_name=KEY),
        RuntimeView(state="degraded", model=KEY),
        RuntimeView(state="serving", served_name=KEY),
        RuntimeView(state="starting", detail="starting on Spark 2"),
    ],
)
async def test_what_is_loaded_or_may_be_stays(bench, runtime) -> None:
    bench.loaded.runtime = runtime
    await refused(bench)


@pytest.mark.parametrize(
    ("model", "phase", "previous"),
    [
        (KEY, Phase.QUEUED, None),
        (KEY, Phase.LOADING, None),
        ("gpt-oss-120b", Phase.STOPPING, KEY),
        ("gpt-oss-120b", Phase.ROLLING_BACK, KEY),
    ],
)
async def test_what_a_swap_needs_stays(bench, model, phase, previous) -> None:
    bench.swap(model, phase, previous)
    await refused(bench)


async def test_what_is_being_downloaded_stays(bench) -> None:
    blobs = bench.hubs["spark2"].path / "models--google--gemma-4-26b-it" / "blobs"
    (blobs / "ab.0011aabb.incomplete").write_bytes(b"0")
    # The Sparks' own clock says how fresh a file is.
    await refused(bench, "being downloaded on Spark 2")
    (blobs / "ab.0011aabb.incomplete").unlink()
    bench.busy = "A download of Gemma is going on: cancel it first."
    await refused(bench, "A download of Gemma is going on")


async def refused(bench, words: str = "") -> None:
    plan = await bench.deletion.plan(KEY)
    with pytest.raises(ModelInUseError) as error:
        await bench.delete()
    assert error.value.message == " ".join(plan.blockers)
    assert words in error.value.message
    assert error.value.details["blockers"] == plan.blockers
    assert all(hub.names() == ["models--google--gemma-4-26b-it"] for hub in bench.hubs.values())
    assert bench.marks.marked == set()


async def test_a_swap_of_another_model_is_no_reason(bench) -> None:
    bench.loaded.runtime = RuntimeView(state="starting")
    bench.swap("gpt-oss-120b", Phase.LOADING, "qwen3.6-35b-a3b")
    assert (await bench.delete()).complete


async def test_while_it_goes_no_swap_finds_it(bench) -> None:
    found = []

    async def look() -> None:
        with pytest.raises(ModelNotReadyError, match="is being deleted"):
            await bench.shelf.find(KEY)
        with pytest.raises(ConflictError, match="being deleted already"):
            await bench.delete()
        found.append(True)

    bench.shell.meanwhile = look
    assert (await bench.delete()).complete
    assert found == [True, True]


async def test_the_mark_of_a_killed_deletion_stays_for_a_while(bench) -> None:
    begun = asyncio.Event()

    async def never() -> None:
        begun.set()
        await asyncio.Event().wait()

    bench.shell.meanwhile = never
    going = asyncio.create_task(bench.delete())
    await begun.wait()
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)
    with pytest.raises(ModelNotReadyError, match="is being deleted"):
        await bench.shelf.find(KEY)
    bench.shell.meanwhile = None
    assert (await bench.delete()).complete
    assert bench.marks.marked == set()


async def test_without_records_nothing_is_deleted(bench) -> None:
    bench.marks.away = True
    with pytest.raises(UnavailableError):
        await bench.delete()
    assert bench.hubs["spark1"].names() != []
    assert (await bench.shelf.find(KEY)).key == KEY


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (HostUnreachableError("no route"), "Spark 2 does not answer, so its files stay"),
        (DeadlineExceededError("too late"), "did not finish in 120 s"),
    ],
)
async def test_a_spark_that_is_away_keeps_its_files_and_says_so(bench, trouble, words) -> None:
    await bench.shelf.refresh()
    bench.shell.trouble["spark2"] = trouble
    plan = await bench.deletion.plan(KEY)
    assert [place.stale for place in plan.places] == [False, True]
    done = await bench.delete()
    assert (done.complete, done.places[0].problem) == (False, None)
    assert words in (done.places[1].problem or "")
    menu = await bench.shelf.menu(refresh=True)
    (copy,) = next(model for model in menu.models if model.key == KEY).copies
    assert (copy.host, copy.stale) == ("spark2", True)


async def test_names_that_nobody_has(bench) -> None:
    with pytest.raises(UnknownModelError):
        await bench.delete("nobody/knows")
    with pytest.raises(NotFoundError, match="no Spark called 'spark9'"):
        await bench.delete(KEY, "spark9")


async def test_a_model_without_a_recipe_can_go_too(bench) -> None:
    bench.hubs["spark1"].add("alice/Stranger-7B")
    await bench.shelf.refresh()
    done = await bench.delete("stranger-7b")
    assert (done.complete, done.repo) == (True, "alice/Stranger-7B")


async def test_a_local_model_is_its_owners(bench, tmp_path) -> None:
    folder = tmp_path / "tuned"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"0" * 10)
    bench.local = [str(folder)]
    plan = await bench.deletion.plan(str(folder))
    assert any("is a local model" in blocker for blocker in plan.blockers)
    with pytest.raises(ConflictError, match="is a local model"):
        await bench.delete(str(folder))
    assert folder.exists()


async def test_shared_bytes_are_told_before_and_stay(bench) -> None:
    hub = bench.hubs["spark1"]
    hub.add("alice/one", "w1.safetensors", "w2.safetensors", shared=True)
    hub.add("alice/two", "w2.safetensors", shared=True)
    plan = await bench.deletion.plan("alice/one")
    (place,) = plan.places
    assert (place.frees_bytes, place.shared_bytes) == (1000, 1000)
    done = await bench.delete("alice/one")
    assert done.freed_bytes == 1040
    assert hub.stored("w2.safetensors").exists()


async def test_leftovers_are_swept_when_a_look_shows_some(bench) -> None:
    hub = bench.hubs["spark2"]
    hub.add("org/gone").rename(hub.path / ".deleting-models--org--gone")
    sweep = Leftovers(lambda: bench.hosts.sights, bench.shell, bench.clock, "i", "c")
    await bench.shelf.refresh()
    await sweep.sweep()
    assert [order for order in bench.shell.orders if order[1][0] == "sweep"] == [
        ("spark2", ("sweep", "i", "c"))
    ]
    assert hub.names() == ["models--google--gemma-4-26b-it"]
