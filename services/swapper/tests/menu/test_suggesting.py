"""Reading a model's files from Sparks made of folders: one round trip, and what can go wrong."""

import json
import os
from pathlib import Path

import pytest

from spark_common.contracts.models import SuggestRecipe
from spark_common.errors import (
    HostUnreachableError,
    InvalidRequestError,
    ModelNotReadyError,
    RemoteCommandError,
    UnavailableError,
    UnknownModelError,
)
from spark_common.remote import RemoteResult
from spark_common.testing import FakeClock
from spark_swapper.launching.launch import LaunchSettings
from spark_swapper.launching.launcher import LauncherFeatures
from spark_swapper.menu.hosts import Hosts, Spark
from spark_swapper.recipes import load_recipes
from spark_swapper.suggest import Suggesting
from spark_swapper.suggest.infer import recipe_of
from spark_swapper.suggest.reader import ModelReader
from spark_swapper.suggest.reading import files_command, read_files

pytestmark = pytest.mark.connected

NEMOTRON = "nvidia/Nemotron-3-Nano-30B-A3B-FP8"
KEY = "nemotron-3-nano-30b-a3b-fp8"
CONFIGS = Path(__file__).parents[1] / "data" / "configs"


def shape(name: str) -> dict[str, object]:
    return json.loads((CONFIGS / f"{name}.json").read_text())


def put(folder: Path, name: str, content: object) -> None:
    """Write a small file the way the cache has it: a link to a blob."""
    (snapshot,) = (folder / "snapshots").iterdir()
    blob = folder / "blobs" / name.replace(".", "")
    blob.write_text(content if isinstance(content, str) else json.dumps(content))
    (snapshot / name).unlink(missing_ok=True)
    (snapshot / name).symlink_to(f"../../blobs/{blob.name}")


@pytest.fixture
def launchers() -> dict[str, LauncherFeatures]:
    """What is known of the checkouts, by host."""
    return {"spark1": LauncherFeatures(), "spark2": LauncherFeatures()}


@pytest.fixture
def suggesting(folder_shell, launchers) -> Suggesting:
    sparks = [Spark("spark1", "Spark 1"), Spark("spark2", "Spark 2")]
    clock = FakeClock()
    hosts = Hosts(folder_shell, sparks, clock)
    reader = ModelReader(folder_shell, clock)
    return Suggesting(hosts, reader, load_recipes(), LaunchSettings(), launchers.__getitem__)


async def ask(suggesting: Suggesting, repo: str = NEMOTRON):
    return await suggesting.suggest(SuggestRecipe(repo=repo))


@pytest.mark.parametrize("shared_store", [False, True])
async def test_the_files_are_read_in_one_round_trip(
    suggesting, hubs, folder_shell, shared_store
) -> None:
    hubs["spark1"].add(
        NEMOTRON, config=shape("nemotron3-nano-nvfp4"), shard_bytes=10**9, shared_store=shared_store
    )
    await ask(suggesting)
    looks = folder_shell.commands
    suggestion = await ask(suggesting, KEY)
    assert folder_shell.commands == looks + 1
    assert (suggestion.key, suggestion.repo, suggestion.read_from) == (KEY, NEMOTRON, "spark1")
    assert suggestion.hosts == ["spark1"]
    assert suggestion.size_bytes == 2 * 10**9
    assert suggestion.reasoning_parser.value == "nemotron_v3"
    assert suggestion.preview[:3] == ["./launch-cluster.sh", "-t", "vllm-node"]
    assert NEMOTRON in suggestion.preview
    assert suggestion.warnings == ["The files have no chat template: it is probably a base model."]


async def test_every_small_file_counts(suggesting, hubs) -> None:
    folder = hubs["spark1"].add("org/Embedder", config=shape("qwen3-embedding"), index=False)
    put(folder, "modules.json", "[]")
    put(folder, "sentence_bert_config.json", {"max_seq_length": 2048})
    put(folder, "hf_quant_config.json", {"quantization": {"quant_algo": "FP8"}})
    put(folder, "tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["a.B", None]}})
    suggestion = await ask(suggesting, "ORG/embedder")
    assert suggestion.context_length.value == 2048
    assert suggestion.quantization.source.startswith("hf_quant_config.json")
    assert [trait.value for trait in suggestion.traits] == ["pooling", "custom_code"]
    assert suggestion.warnings == ["It answers with embeddings or scores, not with chat."]
    assert suggestion.size_bytes == 2_000_000


async def test_the_preview_is_what_the_launcher_there_takes(suggesting, hubs, launchers) -> None:
    launchers["spark2"] = LauncherFeatures(daemon_exec=False, solo=False, node="192.0.2.12")
    for spark, expected in (
        ("spark1", ["--solo", "-d", "exec"]),
        ("spark2", ["-n", "192.0.2.12", "exec"]),
    ):
        repo = f"org/On-{spark}"
        hubs[spark].add(repo, config=shape("qwen3-awq"))
        suggestion = await ask(suggesting, repo)
        assert suggestion.read_from == spark
        assert suggestion.preview[3:5] == ["--name", "vllm_node"]
        assert suggestion.preview[5 : 5 + len(expected)] == expected


@pytest.mark.parametrize(
    ("name", "content", "has_tools"),
    [
        ("chat_template.jinja", "{% if tools %}{% endif %}", True),
        ("chat_template.jinja", "{{ messages }}", False),
        ("tokenizer_config.json", {"chat_template": "{% for tool in tools %}"}, True),
        ("tokenizer_config.json", {"chat_template": [{"name": "x", "template": "{{ x }}"}]}, False),
        ("chat_template.json", {"chat_template": "{{ tools }}"}, True),
    ],
)
async def test_the_chat_template_is_looked_at(suggesting, hubs, name, content, has_tools) -> None:
    folder = hubs["spark1"].add("org/Qwen3-8B", config=shape("qwen3-awq"))
    put(folder, name, content)
    assert ("tools" in (await ask(suggesting, "org/Qwen3-8B")).capabilities.value) is has_tools


@pytest.mark.parametrize("content", ["", "[1]", "{", "[" * 100_000])
async def test_a_broken_configuration_is_a_warning(suggesting, hubs, content) -> None:
    put(hubs["spark1"].add("org/Odd"), "config.json", content)
    suggestion = await ask(suggesting, "org/Odd")
    assert any("no config.json" in warning for warning in suggestion.warnings)


async def test_a_huge_configuration_is_not_read_and_a_long_one_is_cut(suggesting, hubs) -> None:
    huge = hubs["spark1"].add("org/Huge")
    put(huge, "config.json", json.dumps({"x": "y" * 9 * 2**20}))
    long = {**shape("qwen3-awq"), "ignore": ["layer"] * 100_000, "odd": float("nan")}
    put(hubs["spark1"].add("org/Long"), "config.json", long)
    assert any("no config.json" in one for one in (await ask(suggesting, "org/Huge")).warnings)
    assert (await ask(suggesting, "org/Long")).quantization.value == "awq 4-bit"


async def test_what_is_read_is_the_revision_that_was_judged(suggesting, hubs) -> None:
    folder = hubs["spark1"].add("org/Two", config=shape("qwen3-awq"))
    (snapshot,) = (folder / "snapshots").iterdir()
    (folder / "refs" / "main").unlink()
    # Earlier by name, and written last.
    later = snapshot.with_name("0" * 40)
    later.mkdir()
    (later / "config.json").write_text(json.dumps(shape("gemma4-bf16")))
    os.utime(snapshot, (1, 1))
    assert (await ask(suggesting, "org/Two")).architecture.value.startswith("Gemma4")


async def test_a_file_that_nobody_writes_to_is_not_waited_for(suggesting, hubs) -> None:
    folder = hubs["spark1"].add("org/Pipe", config=shape("qwen3-awq"))
    (snapshot,) = (folder / "snapshots").iterdir()
    os.mkfifo(snapshot / "tokenizer_config.json")
    assert (await ask(suggesting, "org/Pipe")).quantization.value == "awq 4-bit"


@pytest.mark.parametrize("total", [10**400, -5, True, "9", None, 1e300])
async def test_a_size_that_cannot_be_is_not_believed(suggesting, hubs, total) -> None:
    folder = hubs["spark1"].add("org/Odd", config={**shape("qwen3-awq"), "half \ud800": "\udfff"})
    weights = {f"{n}": f"model-0000{n}-of-00002.safetensors" for n in (1, 2)}
    put(
        folder,
        "model.safetensors.index.json",
        {"metadata": {"total_size": total}, "weight_map": weights},
    )
    put(folder, "optimizer.bin", "x" * 1000)
    suggestion = await ask(suggesting, "org/Odd")
    assert suggestion.size_bytes == 2_000_000
    assert suggestion.mode.value == "solo"


async def test_an_unfinished_download_counts_what_is_still_to_come(suggesting, hubs) -> None:
    folder = hubs["spark1"].add("org/Half", present=1, shard_bytes=10**9, config=shape("qwen3-awq"))
    weights = {f"{n}": f"model-0000{n}-of-00002.safetensors" for n in (1, 2)}
    index = {"metadata": {"total_size": 2 * 10**9}, "weight_map": weights}
    put(folder, "model.safetensors.index.json", index)
    suggestion = await ask(suggesting, "org/Half")
    assert suggestion.size_bytes == 2 * 10**9
    assert suggestion.hosts == []
    assert "No Spark has all of its files yet." in suggestion.warnings


async def test_a_model_with_a_recipe_says_so(suggesting, hubs) -> None:
    hubs["spark1"].add("google/gemma-4-26b-it", config=shape("gemma4-bf16"))
    suggestion = await ask(suggesting, "gemma-4-26b")
    assert suggestion.warnings[0] == "There is a recipe for it already: gemma-4-26b."


async def test_an_unknown_model_is_refused_with_what_comes_near(suggesting, hubs) -> None:
    hubs["spark1"].add(NEMOTRON)
    with pytest.raises(UnknownModelError) as unknown:
        await ask(suggesting, "nvidia/Nemotron-3-Nano-30B")
    assert unknown.value.details["near"] == [KEY]
    with pytest.raises(UnknownModelError):
        await ask(suggesting, "openai/gpt-oss-120b")


async def test_a_download_that_just_ended_is_found(suggesting, hubs) -> None:
    hubs["spark1"].add(NEMOTRON)
    await ask(suggesting)
    hubs["spark2"].add("org/New")
    assert (await ask(suggesting, "org/New")).read_from == "spark2"


async def test_the_other_spark_answers_when_one_is_away(suggesting, hubs, folder_shell) -> None:
    for hub in hubs.values():
        hub.add(NEMOTRON)
    await ask(suggesting)
    folder_shell.trouble["spark1"] = HostUnreachableError("Spark 1 does not answer", host="spark1")
    assert (await ask(suggesting)).read_from == "spark2"


async def test_nobody_who_has_it_answers(suggesting, hubs, folder_shell) -> None:
    hubs["spark1"].add(NEMOTRON)
    await ask(suggesting)
    folder_shell.trouble["spark1"] = HostUnreachableError("Spark 1 is away", host="spark1")
    with pytest.raises(HostUnreachableError, match="is on Spark 1, and could not be read"):
        await ask(suggesting)


async def test_no_spark_could_be_looked_at(suggesting, folder_shell) -> None:
    for host in ("spark1", "spark2"):
        folder_shell.trouble[host] = HostUnreachableError(f"{host} is away", host=host)
    with pytest.raises(UnavailableError, match="no Spark could be looked at"):
        await ask(suggesting)


async def test_nothing_to_read_yet_is_not_ready(suggesting, hubs) -> None:
    folder = hubs["spark1"].add(NEMOTRON)
    await ask(suggesting)
    (snapshot,) = (folder / "snapshots").iterdir()
    snapshot.rename(folder / "elsewhere")
    with pytest.raises(ModelNotReadyError, match="has no snapshot"):
        await ask(suggesting)


async def test_a_link_in_the_cache_is_not_followed(suggesting, hubs) -> None:
    hub = hubs["spark1"]
    folder = hub.add(NEMOTRON)
    await ask(suggesting)
    outside = hub.home / "outside"
    folder.rename(outside)
    folder.symlink_to(outside)
    with pytest.raises(ModelNotReadyError):
        await ask(suggesting)


@pytest.mark.parametrize("repo", ["a/../../etc", "a b/c", "$(id)/x", "a\n/b", "ä/b"])
def test_only_names_of_the_cache_become_a_command(repo) -> None:
    if repo == "a/../../etc":
        # The slashes become dashes: it is one name, and never a path.
        assert files_command(repo).argv == ("python3", "-", "models--a--..--..--etc")
        return
    with pytest.raises(InvalidRequestError):
        files_command(repo)


@pytest.mark.parametrize(
    "result",
    [
        RemoteResult(1, "", "Traceback\nPermissionError: no\n"),
        RemoteResult(0, "", ""),
        RemoteResult(0, "[]", ""),
        RemoteResult(0, '{"found": true, "weight_bytes": "x"}', ""),
    ],
)
def test_an_unreadable_answer_is_a_remote_failure(result) -> None:
    with pytest.raises(RemoteCommandError):
        read_files(NEMOTRON, result)


def test_a_banner_before_the_answer_is_skipped() -> None:
    result = RemoteResult(0, 'Welcome\n{"found": true, "weight_bytes": 5}\n', "")
    assert read_files(NEMOTRON, result).weight_bytes == 5


async def test_a_directory_on_a_spark_can_be_set_up_as_a_local_model(
    suggesting, folder_shell, tmp_path
) -> None:
    folder = tmp_path / "tuned"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(shape("qwen3-awq")))
    (folder / "model.safetensors").write_bytes(b"x" * 1000)
    suggestion = await ask(suggesting, str(folder))
    assert (suggestion.repo, suggestion.key, suggestion.size_bytes) == (str(folder), "tuned", 1000)
    assert suggestion.hosts == ["spark1", "spark2"]
    assert recipe_of(suggestion).local_path == str(folder)
    assert f"{folder}:{folder}:ro" in suggestion.preview
    with pytest.raises(UnknownModelError):
        await ask(suggesting, str(tmp_path / "nothing"))
    for hostile in ("/data/../etc", "/data/$(id)", "/data/a b"):
        with pytest.raises(InvalidRequestError):
            await ask(suggesting, hostile)
