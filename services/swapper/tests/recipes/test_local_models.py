"""Local models on the menu: matched by their directory, started with it, never by case."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from spark_common.contracts.models import RuntimeView
from spark_common.errors import ModelNotReadyError
from spark_common.testing import FakeClock
from spark_swapper.launching.launch import LaunchSettings
from spark_swapper.menu.hosts import Sight, Spark
from spark_swapper.menu.menu import build_menu, titles
from spark_swapper.menu.shelf import DiskShelf
from spark_swapper.recipes import RecipeBook, load_recipes
from spark_swapper.scan import DiskCopy, Look

PATH = "/data/Tuned_8B"


def seen(number: int, *copies: DiskCopy) -> Sight:
    look = Look(hostname="h", hub="/hub", copies=copies, memory_total_bytes=128_000_000_000)
    return Sight(Spark(f"spark{number}", f"Spark {number}"), True, None, look, fresh=True)


def copy(repo: str = PATH, state: str = "ready") -> DiskCopy:
    return DiskCopy.model_validate({"repo": repo, "size_bytes": 16_000_000_000, "state": state})


@pytest.fixture
def book(tmp_path: Path) -> RecipeBook:
    path = tmp_path / "models.override.yaml"
    path.write_text(
        f"models:\n  tuned: {{name: Tuned, local_path: {PATH}, served_name: mine}}\n"
        f"  pair: {{name: Pair, local_path: /data/pair, mode: cluster, pipeline_parallel: 2}}\n"
    )
    return load_recipes(path)


class Looked:
    """Hosts that were looked at already."""

    def __init__(self, *sights: Sight) -> None:
        self.sights: Sequence[Sight] = sights
        self.as_of = None

    def age_seconds(self) -> float:
        return 0.0

    async def look(self) -> None:
        return None


class Idle:
    def view(self) -> RuntimeView:
        return RuntimeView(state="idle")

    async def usual_seconds(self, key: str) -> float | None:
        return None


def shelf(book: RecipeBook, *sights: Sight) -> DiskShelf:
    async def nobody(reason: str) -> None:
        return None

    hosts, idle = Looked(*sights), Idle()
    return DiskShelf(hosts, book, LaunchSettings(), idle, idle, FakeClock(), nobody)  # type: ignore[arg-type]


async def test_it_is_found_by_every_name_and_started_with_its_directory(book) -> None:
    here = shelf(book, seen(1), seen(2, copy()))
    for name in ("tuned", PATH, "mine"):
        found = await here.find(name)
        assert (found.key, found.repo, found.hosts) == ("tuned", PATH, ("spark2",))
    assert found.volumes == (f"{PATH}:{PATH}:ro",)
    assert found.vllm_argv[0] == PATH
    assert here.key_for(PATH) == "tuned"
    assert here.key_for(PATH.lower()) is None


async def test_a_cluster_model_needs_its_directory_on_as_many_sparks_as_it_uses(book) -> None:
    one = shelf(book, seen(1, copy("/data/pair")), seen(2))
    with pytest.raises(ModelNotReadyError, match="needs its files on 2 Sparks; Spark 2 lacks them"):
        await one.find("pair")
    both = shelf(book, seen(1, copy("/data/pair")), seen(2, copy("/data/pair")))
    assert (await both.find("pair")).hosts == ("spark1", "spark2")


async def test_without_its_directory_it_is_a_card_that_cannot_be_started(book) -> None:
    menu = build_menu(book, (seen(1),), RuntimeView(state="idle"), {}, FakeClock().now())
    cards = {model.key: model for model in menu.models}
    assert set(cards) == {"tuned", "pair"}
    assert (cards["tuned"].state, cards["tuned"].local_path) == ("missing", PATH)
    assert (cards["tuned"].source, cards["tuned"].copies) == ("own", [])
    assert cards["tuned"].fit is not None
    with pytest.raises(ModelNotReadyError, match=f"no complete files in {PATH} on any Spark"):
        await shelf(book, seen(1)).find("tuned")


def test_two_directories_that_differ_by_case_are_two_models(book) -> None:
    found = {title.repo: title for title in titles(book, (seen(1, copy(), copy(PATH.lower())),))}
    assert found[PATH].key == "tuned"
    assert found[PATH.lower()].recipe is None
    assert found[PATH.lower()].key == "tuned_8b"
    fit = build_menu(book, (seen(1, copy()),), RuntimeView(state="idle"), {}, FakeClock().now())
    tuned = next(model for model in fit.models if model.key == "tuned")
    assert (tuned.state, tuned.size_bytes, tuned.fit.verdict) == ("ready", 16_000_000_000, "good")
