from pathlib import Path

import pytest

from spark_swapper.launching.launch import LaunchSettings, plan_launch
from spark_swapper.recipes import Recipe, RecipeBook, load_recipes
from spark_swapper.recipes.reserved import LAUNCHERS_OWN


def by_key(book: RecipeBook, key: str) -> Recipe:
    return next(recipe for recipe in book.recipes if recipe.key == key)


def overridden(folder: Path, text: str) -> RecipeBook:
    path = folder / "models.override.yaml"
    path.write_text(text)
    return load_recipes(path)


@pytest.mark.parametrize(
    ("key", "repo", "mode"),
    [
        ("qwen3.6-35b-a3b", "nvidia/Qwen3.6-35B-A3B-NVFP4", "solo"),
        ("gpt-oss-120b", "openai/gpt-oss-120b", "solo"),
        ("gemma-4-26b", "google/gemma-4-26b-it", "solo"),
        ("minimax-m2.7", "MiniMaxAI/MiniMax-M2.7-AWQ", "cluster"),
        ("llama-4-scout", "nvidia/Llama-4-Scout-17B-16E-NVFP4", "solo"),
        ("qwen3.8-flash-next", "Qwen/Qwen3.8-Flash-Next-FP8", "cluster"),
        ("glm-5.3-flash", "nvidia/GLM-5.3-Flash-NVFP4", "cluster"),
        ("deepseek-v4-flash", "deepseek-ai/DeepSeek-V4-Flash", "cluster"),
        ("mistral-small-4", "mistralai/Mistral-Small-4-119B-2603-NVFP4", "solo"),
        ("qwen3-reranker-0.6b", "Qwen/Qwen3-Reranker-0.6B", "solo"),
    ],
)
def test_the_bundle_knows_the_models_people_run(key: str, repo: str, mode: str) -> None:
    recipe = by_key(load_recipes(), key)
    assert (recipe.repo, recipe.mode) == (repo, mode)


def test_the_bundle_has_no_problems() -> None:
    book = load_recipes()
    assert book.problems == ()
    assert len({recipe.key for recipe in book.recipes}) == len(book.recipes)


@pytest.mark.parametrize("recipe", load_recipes().recipes, ids=lambda recipe: recipe.key)
def test_every_bundled_recipe_can_be_launched_and_keeps_the_house_rules(recipe: Recipe) -> None:
    plan = plan_launch(recipe, recipe.repo, LaunchSettings())
    spelled = [word for word in plan.vllm_argv if word.startswith("-")]
    assert len(set(spelled)) == len(spelled)
    assert not {f"--{name}" for name in LAUNCHERS_OWN} & set(plan.vllm_argv)
    length = plan.vllm_argv[plan.vllm_argv.index("--max-model-len") + 1]
    assert int(length) == recipe.context_length
    if "tools" in recipe.capabilities:
        assert {"--enable-auto-tool-choice", "--tool-call-parser"} <= set(plan.vllm_argv)
    assert ("reasoning" in recipe.capabilities) == ("--reasoning-parser" in plan.vllm_argv)
    pooling = "pooling" in plan.vllm_argv
    assert pooling == bool({"embeddings", "rerank"} & set(recipe.capabilities))
    assert recipe.size_bytes is not None
    if recipe.key.startswith("gemma-4"):
        assert "fastsafetensors" not in plan.vllm_argv


def test_no_override_file_is_no_problem(tmp_path: Path) -> None:
    assert load_recipes(tmp_path / "models.override.yaml") == load_recipes()


def test_an_override_replaces_only_the_fields_it_has(tmp_path: Path) -> None:
    book = overridden(
        tmp_path,
        "models:\n  gpt-oss-120b:\n    name: Ours\n    extra_args: [--max-model-len, 65536]\n",
    )
    recipe, bundled = by_key(book, "gpt-oss-120b"), by_key(load_recipes(), "gpt-oss-120b")
    assert recipe.name == "Ours"
    assert recipe.args == bundled.args
    plan = plan_launch(recipe, recipe.repo, LaunchSettings())
    assert plan.vllm_argv[plan.vllm_argv.index("--max-model-len") + 1] == "65536"


def test_an_override_adds_entries_of_its_own(tmp_path: Path) -> None:
    book = overridden(tmp_path, "models:\n  mine:\n    name: Mine\n    repo: alice/mine\n")
    assert book.for_repo("Alice/Mine") == by_key(book, "mine")
    assert book.problems == ()


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("{name: Bad}", "needs repo or local_path"),
        ("{name: Bad, repo: a/b, local_path: /data/m}", "has both repo and local_path"),
        ("{name: Bad, local_path: data/m}", "local_path: must be absolute"),
        ("{name: Bad, local_path: '/data/a b'}", "local_path: may only have"),
        ("{name: Bad, local_path: '/data/a:b'}", "local_path: may only have"),
        ("{name: Bad, local_path: '/data/a,b'}", "local_path: may only have"),
        ("{name: Bad, local_path: /data/../etc}", "local_path: may not have . or .."),
        ("{name: Bad, local_path: /data//m}", "local_path: has a doubled slash"),
        ("{name: Bad, local_path: /data/m/}", "local_path: has a doubled slash"),
        ("{name: Bad, local_path: /}", "local_path: cannot be the whole disk"),
        ("{name: Bad, local_path: /usr/lib}", "may not lie under /usr"),
        (
            "{name: Bad, local_path: /data/m, args: [--chat-template=/data/other.jinja]}",
            "--chat-template must be a file inside /data/m",
        ),
        (
            "{name: Bad, local_path: /data/m, args: [--chat-template=/data/m/../x.jinja]}",
            "--chat-template must be a file inside /data/m",
        ),
        ("{name: Bad, repo: a/b, mode: cluster, tensor_parallel: 8, data_parallel: 9}", "72"),
        ("{name: Bad, repo: a/b, pipeline_parallel: 2}", "mode solo runs on one Spark"),
        ("{name: Bad, repo: no-owner}", "repo: "),
        ("{name: Bad, repo: a/b, mods: [../../etc]}", "mods.0: "),
        ("{name: Bad, repo: a/b, env: {A: 'x y'}}", "env.A: "),
        ("{name: Bad, repo: a/b, env: {A: '$(id)'}}", "env.A: "),
        ("{name: Bad, repo: a/b, image: 'x; id'}", "image: "),
        ("{name: Bad, repo: a/b, args: [true]}", "args.0: "),
        ('{name: Bad, repo: a/b, args: ["--a=x\\ny"]}', "args.0: contains a control character"),
        ("{name: Bad, repo: a/b, args: [value]}", "'value' belongs to no flag"),
        ("{name: Bad, repo: a/b, args: [--model, x/y]}", "--model is decided by repo"),
        ("{name: Bad, repo: a/b, typo: 1}", "typo: Extra inputs are not permitted"),
        ("{name: Bad, repo: a/b, mode: cluster}", "tensor_parallel of 2 or more"),
        ("{name: Bad, repo: a/b, tensor_parallel: 2}", "leave tensor_parallel out"),
        ("just text", "it is not a mapping"),
    ],
)
def test_a_wrong_entry_is_left_out_and_said(tmp_path: Path, entry: str, reason: str) -> None:
    book = overridden(tmp_path, f"models:\n  bad: {entry}\n  good: {{name: Good, repo: a/good}}\n")
    assert len(book.problems) == 1
    assert book.problems[0].startswith("models.override.yaml: 'bad' is left out: ")
    assert reason in book.problems[0]
    assert by_key(book, "good").name == "Good"
    assert len(book.recipes) == len(load_recipes().recipes) + 1


def test_an_entry_of_ones_own_stands_before_a_bundled_one_for_the_same_repository(
    tmp_path: Path,
) -> None:
    text = "models:\n  mine: {name: Mine, repo: OpenAI/gpt-oss-120b}\n"
    book = overridden(tmp_path, text)
    assert by_key(book, "mine") == book.for_repo("openai/gpt-oss-120b")
    assert book.with_key("gpt-oss-120b") is None
    assert book.problems == (
        "models.yaml: 'gpt-oss-120b' is left out: 'mine' is the recipe for openai/gpt-oss-120b "
        "already",
    )


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("args: [--port=8000]", ["--port: the port is a setting (VLLM_PORT): leave it out"]),
        ("args: [--host, 0.0.0.0]", ["--host: the runtime listens everywhere by itself"]),
        ("extra_args: [--nnodes=2]", ["--nnodes: is set by the launcher itself: leave it out"]),
        ("args: [--served-model-name, x, y]", ["--served-model-name: is the field served_name"]),
        ("served_name: s, args: [--served_model_name=x]", ["--served-model-name: is the field"]),
        ("args: [--served-model-name=x]", []),
        ("args: [-tp=1, --seed=1]", []),
        ("args: [--distributed-executor-backend=ray, --port=1]", ["--distributed-", "--port"]),
    ],
)
def test_arguments_that_are_not_launched_are_said(tmp_path: Path, written, said) -> None:
    book = overridden(tmp_path, f"models:\n  mine: {{name: M, repo: a/m, {written}}}\n")
    assert book.with_key("mine") is not None
    assert len(book.problems) == len(said)
    for problem, reason in zip(book.problems, said, strict=True):
        assert problem.startswith(f"models.override.yaml: 'mine' is used without {reason}")


def test_a_secret_in_the_arguments_is_refused_and_not_repeated(tmp_path: Path) -> None:
    book = overridden(
        tmp_path, "models:\n  bad: {name: B, repo: a/b, args: [--api_key, hunter2]}\n"
    )
    assert "readable by everybody" in book.problems[0]
    assert "hunter2" not in book.problems[0]


@pytest.mark.parametrize(
    ("short", "whole"),
    [
        ("--api-k", "api-key"),
        ("--hf_tok", "hf-token"),
        ("--ssl-keyfile-p", "ssl-keyfile-password"),
        ("--tensor_parallel", "tensor-parallel-size"),
        ("--pipe", "pipeline-parallel-size"),
        ("--por", "port"),
        ("--served-model", "served-model-name"),
    ],
)
@pytest.mark.parametrize("place", ["args", "extra_args"])
def test_what_vllm_completes_to_a_reserved_name_is_refused(tmp_path, short, whole, place) -> None:
    text = f"models:\n  bad: {{name: B, repo: a/b, {place}: [{short}, hunter2]}}\n"
    book = overridden(tmp_path, text)
    assert book.with_key("bad") is None
    assert f"could be taken for --{whole}: write the whole name" in book.problems[0]
    assert "hunter2" not in book.problems[0]


def test_a_wrong_override_leaves_the_bundled_recipe_standing(tmp_path: Path) -> None:
    book = overridden(tmp_path, "models:\n  gpt-oss-120b: {mode: sideways}\n")
    assert by_key(book, "gpt-oss-120b") == by_key(load_recipes(), "gpt-oss-120b")
    assert "mode: " in book.problems[0]


@pytest.mark.parametrize(
    "text", ["models: [", "- a\n- b\n", "models: 7\n", "\tx", "models:\n  a: *nowhere\n"]
)
def test_an_unreadable_file_leaves_the_bundle_standing(tmp_path: Path, text: str) -> None:
    book = overridden(tmp_path, text)
    assert book.recipes == load_recipes().recipes
    assert len(book.problems) == 1


def test_a_file_that_is_not_text_is_said(tmp_path: Path) -> None:
    path = tmp_path / "models.override.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in load_recipes(path).problems[0]


def test_numbers_of_yaml_become_text(tmp_path: Path) -> None:
    book = overridden(
        tmp_path,
        "models:\n  mine: {name: M, repo: a/m, args: [--seed, 7], env: {A: 1}}\n",
    )
    assert by_key(book, "mine").args == ("--seed", "7")
    assert by_key(book, "mine").env == {"A": "1"}


def test_a_recipe_serves_under_the_name_it_was_given() -> None:
    fields = {"key": "k", "name": "N", "repo": "a/b"}
    assert Recipe.model_validate(fields).serves_as == "k"
    assert Recipe.model_validate({**fields, "served_name": "s"}).serves_as == "s"
    args = ["--served-model-name", "x", "y"]
    assert Recipe.model_validate({**fields, "args": args}).serves_as == "x"
