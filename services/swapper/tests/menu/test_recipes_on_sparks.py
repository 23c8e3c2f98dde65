"""Templates, knobs and local models over real SSH, against two simulated Sparks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from spark_common.clock import SystemClock
from spark_common.contracts.models import RuntimeView, SuggestRecipe
from spark_common.contracts.recipes import (
    ImportTemplate,
    Knobs,
    PreviewRecipe,
    RecipeForm,
    SaveRecipe,
    SetKnobs,
)
from spark_common.remote import RemoteCommand
from spark_common.remote.ssh import SshShell
from spark_common.testing.wait import until
from spark_sim.cluster import SimulatedCluster
from spark_sim.two_sparks import two_sparks
from spark_swapper.checks.preflight import ParserPreflight
from spark_swapper.editing.editing import Editing
from spark_swapper.editing.previewing import Previewing
from spark_swapper.launching.launch import LaunchSettings
from spark_swapper.menu.hosts import Hosts, Spark
from spark_swapper.menu.shelf import DiskShelf
from spark_swapper.recipes import Recipes
from spark_swapper.suggest import Suggesting
from spark_swapper.suggest.infer import recipe_of
from spark_swapper.suggest.reader import ModelReader
from spark_swapper.templates import Templating

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]


class Idle:
    """Nothing is loaded and nothing ever was."""

    def view(self) -> RuntimeView:
        return RuntimeView(state="idle")

    async def usual_seconds(self, key: str) -> float | None:
        return None


@dataclass
class Workshop:
    """The cluster, and everything about recipes over it."""

    cluster: SimulatedCluster
    shell: SshShell
    shelf: DiskShelf
    editing: Editing
    templating: Templating
    suggesting: Suggesting
    preflight: ParserPreflight
    folder: Path

    async def launched(self, *argv: str) -> list[str]:
        """Run a launch as a swap would; return the arguments that vLLM got."""
        before = len(self.cluster.journal.of("runtime_launched"))
        result = await self.shell.run("spark1", RemoteCommand(argv=argv, cwd="spark-vllm-docker"))
        assert result.ok, result
        await until(
            lambda: len(self.cluster.journal.of("runtime_launched")) > before, "vLLM was started"
        )
        return self.cluster.journal.of("runtime_launched")[-1].details["argv"]


@pytest_asyncio.fixture
async def workshop(tmp_path) -> AsyncIterator[Workshop]:
    clock = SystemClock()
    async with two_sparks(tmp_path, speed=200.0) as running:
        shell = SshShell(running.settings, clock)
        sparks = tuple(Spark(host.name, host.label) for host in running.settings.hosts)
        looked_at, launch = Hosts(shell, sparks, clock), LaunchSettings
        recipes, reader = Recipes(tmp_path / "models.override.yaml"), ModelReader(shell, clock)

        async def nobody(reason: str) -> None:
            return None

        async def unused() -> frozenset[str]:
            return frozenset()

        shelf = DiskShelf(looked_at, recipes, launch, Idle(), Idle(), clock, nobody)
        templating = Templating(
            shell, sparks, lambda: running.settings.vllm_dir, recipes, launch, clock
        )
        yield Workshop(
            cluster=running.cluster,
            shell=shell,
            shelf=shelf,
            editing=Editing(
                recipes=recipes,
                previewing=Previewing(looked_at, reader, recipes, launch),
                templating=templating,
                named=shelf.key_named,
                in_use=unused,
                changed=shelf.announce,
            ),
            templating=templating,
            suggesting=Suggesting(looked_at, reader, recipes, launch),
            preflight=ParserPreflight(shell, lambda: "vllm_node"),
            folder=tmp_path,
        )
        await shell.close()


async def test_a_template_of_the_checkout_becomes_a_recipe_that_vllm_takes(workshop) -> None:
    templates = (await workshop.templating.list()).templates
    assert len(templates) >= 5
    assert [one.problem for one in templates if one.problem] == []
    await workshop.shelf.menu(refresh=True)
    detail = await workshop.editing.import_template(ImportTemplate(name="nemotron-3-nano-fp8"))
    assert detail.preview.ok
    assert detail.preview.memory.cache_tokens
    found = await workshop.shelf.find("nvidia/Nemotron-3-Nano-30B-A3B-FP8")
    assert found.key == "nemotron-3-nano-fp8"
    assert (await workshop.preflight(found)).verdict == "good"


async def test_a_preview_is_what_vllm_gets_whatever_the_flags_say(workshop) -> None:
    await workshop.shelf.menu(refresh=True)
    flags = ['--hf-overrides={"a":"$(touch ~/pwned)\'; touch ~/pwned; # * ünï"}', "--seed=7"]
    detail = await workshop.editing.set_knobs(
        SetKnobs(model="qwen3.6-35b-a3b", knobs=Knobs(max_model_len=4096), flags=flags)
    )
    assert detail.preview.ok
    found = await workshop.shelf.find("qwen3.6-35b-a3b")
    assert list(found.launch_argv) == detail.preview.launch_argv
    received = await workshop.launched(*detail.preview.launch_argv)
    assert received == ["serve", *detail.preview.vllm_args]
    assert received.count("--max-model-len") == 1
    # The line for people is the same.
    assert await workshop.launched("bash", "-c", detail.preview.launch_cmd) == received
    home = await workshop.shell.run("spark1", RemoteCommand(argv=("ls", "-a")))
    assert "pwned" not in home.stdout


async def test_a_local_model_is_suggested_saved_and_launched_with_its_directory(workshop) -> None:
    directory = workshop.folder / "tuned"
    directory.mkdir()
    (directory / "config.json").write_text(
        '{"model_type": "llama", "max_position_embeddings": 9000}'
    )
    (directory / "chat.jinja").write_text("{{ messages }}")
    (directory / "model.safetensors").write_bytes(b"x" * 4096)
    suggestion = await workshop.suggesting.suggest(SuggestRecipe(repo=str(directory)))
    fields = recipe_of(suggestion).model_dump(mode="json", exclude={"extra_args"})
    fields["args"] = [*fields["args"], f"--chat-template={directory}/chat.jinja"]
    preview = await workshop.editing.preview(
        PreviewRecipe(recipe=RecipeForm.model_validate(fields))
    )
    assert preview.ok
    detail = await workshop.editing.save(SaveRecipe(recipe=RecipeForm.model_validate(fields)))
    assert detail.preview.launch_argv == preview.launch_argv
    received = await workshop.launched(*detail.preview.launch_argv)
    assert received == ["serve", *detail.preview.vllm_args]
    assert received[1] == str(directory)
    inspect = ("docker", "inspect", "-f", "{{json .HostConfig.Binds}}", "vllm_node")
    mounts = await workshop.shell.run("spark1", RemoteCommand(argv=inspect))
    assert f"{directory}:{directory}" in mounts.stdout
