"""Saving, knobs, previews and templates over two Sparks made of folders."""

import asyncio
import shlex

import pytest

from spark_common.contracts.models import Menu, SuggestRecipe
from spark_common.contracts.recipes import (
    Knobs,
    RemoveRecipe,
    SaveRecipe,
)
from spark_common.errors import (
    ConflictError,
    HostUnreachableError,
    InvalidRequestError,
    ModelInUseError,
    ModelNotReadyError,
    UnknownModelError,
)
from spark_swapper.recipes import load_recipes
from spark_swapper.suggest.infer import recipe_of

GB = 1_000_000_000
QWEN, QWEN_REPO = "qwen3.6-35b-a3b", "nvidia/Qwen3.6-35B-A3B-NVFP4"
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "hidden_size": 4096,
    "max_position_embeddings": 131_072,
}


def card(menu: Menu, key: str):
    return next(model for model in menu.models if model.key == key)


async def test_a_model_without_a_recipe_is_set_up_and_can_be_started(desk, hubs) -> None:
    hubs["spark1"].add("alice/Tuned-8B", config=CONFIG)
    assert card(await desk.shelf.menu(refresh=True), "tuned-8b").state == "needs_setup"
    with pytest.raises(ModelNotReadyError, match="no recipe yet"):
        await desk.editing.get("tuned-8b")
    suggested = recipe_of(await desk.suggesting.suggest(SuggestRecipe(repo="tuned-8b")))
    fields = suggested.model_dump(mode="json", exclude={"extra_args"})
    detail = await desk.save(**{**fields, "name": "Tuned"})
    assert (detail.source, detail.form.key, detail.bundled_knobs) == ("own", "tuned-8b", None)
    assert desk.told
    assert "models" in desk.told[-1]
    shown = card(await desk.shelf.menu(refresh=False), "tuned-8b")
    assert (shown.state, shown.source, shown.name) == ("ready", "own", "Tuned")
    started = await desk.shelf.find("tuned-8b")
    assert list(started.launch_argv) == detail.preview.launch_argv
    assert load_recipes(desk.path).with_key("tuned-8b") == desk.recipes.book.with_key("tuned-8b")


async def test_a_key_is_made_from_the_repository_and_never_taken_twice(desk) -> None:
    assert (await desk.save(repo="alice/My_Model")).form.key == "my_model"
    assert (await desk.save(repo="bob/my_MODEL")).form.key == "bob--my_model"
    with pytest.raises(ConflictError, match="save with replace"):
        await desk.save(repo="alice/my_model")
    with pytest.raises(ConflictError, match="'my_model' is the recipe for alice/My_Model already"):
        await desk.save(key="other", repo="alice/My_Model")
    again = await desk.save(repo="alice/My_Model", replace=True, args=["--seed=1"])
    assert again.form.args == ["--seed=1"]
    assert set(desk.written()) == {"my_model", "bob--my_model"}


async def test_everything_wrong_is_said_at_once_and_nothing_is_saved(desk) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        await desk.save(
            repo="no-owner",
            image="x; id",
            env={"A B": "1"},
            args=["--max-num-seq=8", "--port=1", "--api-key=hunter2", "--seed=\x07"],
        )
    problems = refused.value.details["problems"]
    assert "hunter2" not in str(problems) + refused.value.message
    fields = {problem["field"] for problem in problems}
    assert {"repo", "image", "args", "args.3"} <= fields
    with pytest.raises(InvalidRequestError) as refused:
        await desk.save(repo="a/b", args=["--max-num-seq=8", "--port=1", "--api-key=hunter2"])
    assert {problem["field"] for problem in refused.value.details["problems"]} == {
        *("--max-num-seq", "--port", "--api-key")
    }
    assert not desk.path.exists()
    assert desk.told == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"repo": "a/b", "local_path": "/data/m"},
        {"repo": "a/b", "mode": "cluster"},
        {"repo": "a/b", "tensor_parallel": 2},
        {"repo": "a/b", "key": "Not A Key"},
        {"repo": "a/b", "key": "a/b"},
        {"repo": "a/b", "name": " "},
        {"repo": "a/b", "name": "a\nb"},
        {"repo": "a/b", "mods": ["../evil"]},
        {"repo": "a/b", "env": {"A": "$(id)"}},
        {"repo": "a/b", "capabilities": ["fly"]},
        {"repo": "a/b", "served_name": "a b"},
        {"local_path": "relative"},
        {"local_path": "/data/m", "args": ["--chat-template=/data/x"]},
    ],
)
async def test_a_wrong_form_is_refused_field_by_field(desk, fields) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        await desk.save(**fields)
    assert refused.value.details["problems"]
    if fields:
        preview = await desk.preview(**fields)
        assert not preview.ok
    assert not desk.path.exists()


async def test_a_bundled_recipe_is_overridden_field_by_field(desk) -> None:
    form = (await desk.editing.get(QWEN)).form
    changed = form.model_copy(
        update={"name": "Ours", "args": [*form.args, "--max-model-len=4096", "--seed=1"]}
    )
    detail = await desk.editing.save(SaveRecipe(recipe=changed))
    assert detail.source == "override"
    assert desk.written() == {
        QWEN: {"name": "Ours", "extra_args": ["--max-model-len=4096", "--seed=1"]}
    }
    assert detail.knobs.max_model_len == 4096
    assert detail.bundled_knobs.max_model_len == 262_144
    assert detail.flags == ["--seed=1"]
    fewer = detail.form.model_copy(update={"args": ["--seed=2"]})
    await desk.editing.save(SaveRecipe(recipe=fewer, replace=True))
    assert desk.written()[QWEN]["args"] == ["--seed=2"]
    await desk.editing.save(SaveRecipe(recipe=form, replace=True))
    assert desk.written() in ({}, None)
    assert (await desk.editing.get(QWEN)).source == "bundled"


async def test_a_key_counts_before_a_served_name(desk, hubs) -> None:
    hubs["spark1"].add("alice/aaa", config=CONFIG)
    hubs["spark1"].add("openai/gpt-oss-120b", config=CONFIG)
    await desk.shelf.menu(refresh=True)
    await desk.save(repo="alice/aaa", served_name="gpt-oss-120b")
    assert (await desk.editing.get("gpt-oss-120b")).form.key == "gpt-oss-120b"
    assert (await desk.shelf.find("gpt-oss-120b")).key == "gpt-oss-120b"
    assert (await desk.shelf.find("aaa")).served_name == "gpt-oss-120b"


async def test_knobs_are_not_added_to_an_entry_that_is_wrong(desk) -> None:
    desk.path.parent.mkdir()
    desk.path.write_text(f"models:\n  {QWEN}: {{mode: sideways}} # mine\n")
    with pytest.raises(ConflictError, match="is not valid \\(mode: "):
        await desk.knobs(max_model_len=4096)
    assert "sideways} # mine" in desk.path.read_text()
    assert (await desk.knobs(reset=True)).source == "bundled"
    assert "sideways} # mine" in desk.path.with_name(desk.path.name + ".bak").read_text()


async def test_what_is_odd_about_an_own_entry_is_told_and_no_bundled_one_is_doubted(desk) -> None:
    await desk.save(repo="alice/fork", image="my-fork", args=["--made-up=1", "--seed=1"])
    problems = (await desk.editing.get("fork")).preview.problems
    assert [(one.severity, one.field) for one in problems] == [("warning", "--made-up")]
    # Its image is a fork as well, with flags that nobody knows here.
    assert (await desk.editing.get("gpt-oss-120b")).preview.problems == []
    assert (await desk.editing.get(QWEN)).preview.problems == []


async def test_bundled_ones_are_never_removed(desk) -> None:
    for _ in range(2):
        with pytest.raises(ConflictError, match="bundled"):
            await desk.editing.remove(RemoveRecipe(model=QWEN))
        await desk.knobs(max_model_len=4096)
    with pytest.raises(UnknownModelError):
        await desk.editing.remove(RemoveRecipe(model="nobody"))


async def test_an_own_entry_is_removed_unless_it_is_loaded(desk, hubs) -> None:
    hubs["spark1"].add("alice/m", config=CONFIG)
    await desk.shelf.menu(refresh=True)
    await desk.save(repo="alice/m")
    desk.used.add("m")
    with pytest.raises(ModelInUseError, match="swap to another model first"):
        await desk.editing.remove(RemoveRecipe(model="m"))
    desk.used.clear()
    assert (await desk.editing.remove(RemoveRecipe(model="alice/M"))).form.repo == "alice/m"
    assert card(await desk.shelf.menu(refresh=False), "m").state == "needs_setup"
    assert desk.recipes.book.with_key("m") is None


async def test_knobs_replace_the_flags_of_the_bundle_and_reset_brings_them_back(desk) -> None:
    detail = await desk.knobs(
        max_model_len=65_536, fast_load=False, prefix_caching=False, flags=["--max-num-seqs", "2"]
    )
    shown = detail.preview.vllm_args
    for flag, value in (("--max-model-len", "65536"), ("--max-num-seqs", "2")):
        assert shown.count(flag) == 1
        assert shown[shown.index(flag) + 1] == value
    assert shown.count("--no-enable-prefix-caching") == 1
    assert "--enable-prefix-caching" not in shown
    assert detail.flags == ["--max-num-seqs=2"]
    assert detail.knobs.fp8_kv_cache is True
    assert set(desk.written()[QWEN]) == {"extra_args"}
    # What is not said any more is the recipe's own again.
    again = await desk.knobs(gpu_memory_utilization=0.5)
    assert desk.written() == {QWEN: {"extra_args": ["--gpu-memory-utilization=0.5"]}}
    assert again.knobs.max_model_len == 262_144
    reset = await desk.knobs(reset=True, max_model_len=1)
    assert reset.source == "bundled"
    assert reset.knobs == reset.bundled_knobs
    assert desk.recipes.book.with_key(QWEN) == load_recipes().with_key(QWEN)


async def test_knobs_of_an_own_entry_stand_over_its_arguments(desk) -> None:
    await desk.save(repo="a/b", key="b", args=["--max-model-len=4096", "--seed=1"])
    detail = await desk.knobs("b", max_model_len=8192)
    assert detail.preview.vllm_args[-4:] == ["--max-model-len", "8192", "--seed", "1"]
    assert detail.bundled_knobs is None
    assert (await desk.knobs("b", reset=True)).knobs.max_model_len == 4096
    assert desk.written()["b"]["args"] == ["--max-model-len=4096", "--seed=1"]


async def test_a_flag_that_is_also_a_knob_counts_and_that_is_said(desk) -> None:
    preview = await desk.preview(
        model=QWEN, knobs=Knobs(max_model_len=8192), flags=["--max-model-len=4k", "--seed=1"]
    )
    assert preview.ok
    (problem,) = preview.problems
    assert (problem.severity, problem.field) == ("warning", "knobs.max_model_len")
    assert preview.vllm_args[preview.vllm_args.index("--max-model-len") + 1] == "4k"


@pytest.mark.parametrize("flags", [["--bogus"], ["--port=1"], ["value"], ["--seed=x"]])
async def test_wrong_flags_are_not_saved(desk, flags) -> None:
    with pytest.raises(InvalidRequestError):
        await desk.knobs(flags=flags)
    assert not (await desk.preview(model=QWEN, flags=flags)).ok
    assert not desk.path.exists()


async def test_a_preview_saves_nothing_and_is_what_a_swap_would_run(desk, hubs) -> None:
    hubs["spark1"].add("org/M", config=CONFIG)
    await desk.shelf.menu(refresh=True)
    fields = {"repo": "ORG/m", "key": "m", "args": ["--seed=1", '--hf-overrides={"a": "b\'s"}']}
    preview = await desk.preview(**fields)
    assert preview.ok
    assert not desk.path.exists()
    assert tuple(shlex.split(preview.launch_cmd)) == tuple(preview.launch_argv)
    await desk.save(**fields)
    assert tuple(preview.launch_argv) == (await desk.shelf.find("m")).launch_argv
    assert "org/M" in preview.launch_argv


async def test_a_preview_needs_one_of_the_two(desk) -> None:
    with pytest.raises(InvalidRequestError):
        await desk.preview()
    with pytest.raises(InvalidRequestError):
        await desk.preview(model=QWEN, repo="a/b")
    with pytest.raises(UnknownModelError):
        await desk.preview(model="nobody")


async def test_the_numbers_come_from_the_sparks_and_the_files(desk, hubs) -> None:
    hubs["spark1"].add("org/M", config=CONFIG, shard_bytes=8 * GB)
    before = (await desk.preview(repo="org/M")).memory
    assert not before.measured
    assert before.weights_bytes is None
    menu = await desk.shelf.menu(refresh=True)
    total = next(host.memory_total_bytes for host in menu.hosts)
    memory = (
        await desk.preview(
            repo="org/M", args=["--gpu-memory-utilization=0.5", "--max-model-len=65000"]
        )
    ).memory
    assert (memory.measured, memory.total_bytes) == (True, total)
    assert memory.allocated_bytes == int(total * 0.5)
    assert memory.allocated_bytes + memory.left_bytes == total
    assert memory.weights_bytes == 16 * GB
    assert memory.pages == 100
    each = 2 * 32 * 8 * 128 * 2
    assert memory.cache_tokens == max(0, (int(total * 0.5) - 16 * GB - 6 * 2**30) // each)
    detail = await desk.save(repo="org/M", key="m", args=["--max-model-len=999999"])
    assert detail.longest_context == 131_072
    assert any("was made for 131,072 tokens" in one for one in detail.preview.memory.warnings)


async def test_previews_ask_a_spark_once_and_live_without_it(desk, hubs, folder_shell) -> None:
    hubs["spark1"].add("org/M", config=CONFIG)
    await desk.shelf.menu(refresh=True)
    asked = folder_shell.commands
    for _ in range(3):
        assert (await desk.preview(repo="org/M")).memory.weights_bytes == 2_000_000
    assert folder_shell.commands == asked + 1
    hubs["spark2"].add("org/Away", config=CONFIG)
    await desk.shelf.menu(refresh=True)
    folder_shell.trouble["spark2"] = HostUnreachableError("gone")
    assert (await desk.preview(repo="org/Away")).memory.cache_tokens is None


async def test_a_local_model_is_a_card_with_its_directory(desk) -> None:
    detail = await desk.save(
        local_path="/data/Tuned_8B", args=["--chat-template=/data/Tuned_8B/chat.jinja"]
    )
    assert detail.form.key == "tuned_8b"
    assert desk.recipes.book.local_paths == ("/data/Tuned_8B",)
    argv = detail.preview.launch_argv
    at = argv.index("-v")
    assert argv[at : at + 4] == ["-v", "/data/Tuned_8B:/data/Tuned_8B:ro", "-d", "exec"]
    assert argv[at + 4 : at + 7] == ["vllm", "serve", "/data/Tuned_8B"]
    shown = card(await desk.shelf.menu(refresh=True), "tuned_8b")
    assert (shown.state, shown.local_path, shown.repo) == (
        *("missing", "/data/Tuned_8B", "/data/Tuned_8B"),
    )
    assert desk.shelf.key_for("/data/Tuned_8B") == "tuned_8b"
    assert desk.shelf.key_for("/data/tuned_8b") is None
    with pytest.raises(ModelNotReadyError, match="has no complete files in /data/Tuned_8B"):
        await desk.shelf.find("tuned_8b")
    await desk.save(local_path="/data/tuned_8B")
    assert set(desk.written()) == {"tuned_8b", "data--tuned_8b"}


async def test_a_file_that_is_broken_by_hand_is_not_written_over(desk) -> None:
    await desk.shelf.menu(refresh=True)
    await desk.save(repo="a/b")
    assert desk.told == ["recipes"]
    desk.path.write_text("models: [")
    with pytest.raises(ConflictError, match="line 1"):
        await desk.save(repo="c/d")
    assert desk.path.read_text() == "models: ["
    menu = await desk.shelf.menu(refresh=True)
    assert any("not valid YAML" in problem for problem in menu.problems)
    # Whoever looks at the menu is told, without anybody asking for recipes.
    assert desk.told == ["recipes"] * 2
    desk.path.write_text("models:\n  by-hand: {name: By hand, repo: c/d}\n")
    menu = await desk.shelf.menu(refresh=True)
    assert "by-hand" in {recipe.key for recipe in menu.recipes}
    assert desk.told == ["recipes"] * 3


async def test_saves_at_once_are_all_kept(desk) -> None:
    await asyncio.gather(*(desk.save(repo=f"a/m{number}") for number in range(8)))
    assert set(desk.written()) == {f"m{number}" for number in range(8)}
    results = await asyncio.gather(
        *(desk.save(repo="a/same") for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(one, ConflictError) for one in results) == 3


async def test_a_recipe_that_no_command_line_carries_is_refused(desk) -> None:
    long = [f"--flag-{number}={'x' * 16_000}" for number in range(10)]
    with pytest.raises(InvalidRequestError, match="longer than 100000 characters together"):
        await desk.save(repo="a/b", image="fork", args=long)
    with pytest.raises(InvalidRequestError, match="longer than 100000 characters together"):
        await desk.knobs("gpt-oss-120b", flags=long)
    assert not desk.path.exists()
