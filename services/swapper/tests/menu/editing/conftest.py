"""Everything about recipes over two Sparks made of folders, composed as the product does."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from spark_common.contracts.models import RuntimeView
from spark_common.contracts.recipes import (
    Knobs,
    PreviewRecipe,
    RecipeForm,
    SaveRecipe,
    SetKnobs,
)
from spark_common.testing import FakeClock
from spark_swapper.editing.editing import Editing
from spark_swapper.editing.previewing import Previewing
from spark_swapper.launching.launch import LaunchSettings
from spark_swapper.menu.hosts import Hosts, Spark
from spark_swapper.menu.shelf import DiskShelf
from spark_swapper.recipes import Recipes
from spark_swapper.suggest import Suggesting
from spark_swapper.suggest.reader import ModelReader
from spark_swapper.templates import Templating

QWEN = "qwen3.6-35b-a3b"


class Watch:
    """What is loaded, as a test says."""

    runtime = RuntimeView(state="idle")

    def view(self) -> RuntimeView:
        return self.runtime

    async def usual_seconds(self, key: str) -> float | None:
        return None


@dataclass
class Desk:
    """Everything about recipes, composed as the product composes it."""

    path: Path
    shell: object
    recipes: Recipes
    editing: Editing
    templating: Templating
    suggesting: Suggesting
    shelf: DiskShelf
    told: list[str]
    used: set[str]

    async def save(self, replace: bool = False, **fields: object):
        form = RecipeForm.model_validate({"name": "Mine", **fields})
        return await self.editing.save(SaveRecipe(recipe=form, replace=replace))

    async def knobs(self, model: str = QWEN, flags: list[str] = [], reset=False, **knobs):  # noqa: B006
        request = SetKnobs(model=model, knobs=Knobs(**knobs), flags=flags, reset=reset)
        return await self.editing.set_knobs(request)

    async def preview(self, flags: list[str] = [], model=None, knobs=Knobs(), **fields):  # noqa: B006, B008
        form = RecipeForm.model_validate({"name": "M", **fields}) if fields else None
        request = PreviewRecipe(recipe=form, model=model, knobs=knobs, flags=flags)
        return await self.editing.preview(request)

    def written(self) -> dict[str, object]:
        return yaml.safe_load(self.path.read_text())["models"]


@pytest.fixture
def desk(tmp_path, folder_shell) -> Desk:
    clock, watch, told, used = FakeClock(), Watch(), [], set()
    sparks = (Spark("spark1", "Spark 1"), Spark("spark2", "Spark 2"))
    path = tmp_path / "data" / "models.override.yaml"
    hosts, recipes, launch = Hosts(folder_shell, sparks, clock), Recipes(path), LaunchSettings()
    reader = ModelReader(folder_shell, clock)

    async def tell(reason: str) -> None:
        told.append(reason)

    async def in_use() -> frozenset[str]:
        return frozenset(used)

    shelf = DiskShelf(hosts, recipes, launch, watch, watch, clock, tell)
    templating = Templating(folder_shell, sparks, "spark-vllm-docker", recipes, launch, clock)
    editing = Editing(
        recipes=recipes,
        previewing=Previewing(hosts, reader, recipes, launch),
        templating=templating,
        named=shelf.key_named,
        in_use=in_use,
        changed=shelf.announce,
    )
    suggesting = Suggesting(hosts, reader, recipes, launch)
    return Desk(path, folder_shell, recipes, editing, templating, suggesting, shelf, told, used)
