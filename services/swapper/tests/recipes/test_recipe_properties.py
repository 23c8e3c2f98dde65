"""Any recipe, knobs and flags: one spelling each, and bash receives what the preview shows."""

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_common.contracts.recipes import Knobs, RecipeForm
from spark_common.remote import RemoteCommand, quote
from spark_swapper.editing.forms import changes_of, fields_of, form_of, read_form
from spark_swapper.editing.knobs import FIELDS, read_knobs
from spark_swapper.editing.previewing import change_of
from spark_swapper.launching.flags import compact, merge_flags, words
from spark_swapper.launching.launch import LaunchSettings, plan_launch
from spark_swapper.launching.launcher import LauncherFeatures, adapt
from spark_swapper.recipes import Recipe, load_recipes
from spark_swapper.recipes.book import bundled_fields, overlaid
from spark_swapper.recipes.local_path import check_local_path, lies_inside
from spark_swapper.recipes.reserved import DECIDED, refusal

BUNDLED = load_recipes().recipes
_TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), max_size=40)
_NAME = st.from_regex(r"[a-z][a-z-]{0,12}[a-z]", fullmatch=True).filter(
    lambda name: not name.startswith("no-") and name != "chat-template" and not refusal(name)
)
_FLAG = st.one_of(
    _NAME.map(lambda name: [f"--{name}"]),
    st.tuples(_NAME, _TEXT).map(lambda pair: [f"--{pair[0]}={pair[1]}"]),
    st.tuples(_NAME, st.lists(st.from_regex(r"[a-z0-9]{1,5}", fullmatch=True), min_size=1)).map(
        lambda pair: [f"--{pair[0]}", *pair[1]]
    ),
)
_ARGS = st.lists(_FLAG, max_size=5).map(lambda flags: [word for flag in flags for word in flag])
_PART = st.from_regex(r"[A-Za-z0-9_=@+-][A-Za-z0-9._=@+-]{0,8}", fullmatch=True)
_PATH = st.lists(_PART, min_size=1, max_size=4).map(lambda parts: "/data/" + "/".join(parts))
_ENV = st.from_regex(r"[A-Za-z0-9._/:=@,+-]{0,20}", fullmatch=True)
_KNOBS = st.builds(
    Knobs,
    max_model_len=st.none() | st.integers(1, 16_777_216),
    gpu_memory_utilization=st.none() | st.floats(0.001, 1),
    fast_load=st.none() | st.booleans(),
    prefix_caching=st.none() | st.booleans(),
    fp8_kv_cache=st.none() | st.booleans(),
)


@settings(deadline=None)
@given(_ARGS)
def test_flags_are_the_same_however_they_are_written(args) -> None:
    flags = merge_flags(args)
    assert [(flag.key, flag.values) for flag in merge_flags(words(flags))] == [
        (flag.key, flag.values) for flag in flags
    ]
    assert merge_flags(compact(flags)) == flags
    assert len({flag.key for flag in flags}) == len(flags)


@settings(max_examples=25, deadline=None)
@given(args=_ARGS, further=_ARGS, knobs=_KNOBS, path=_PATH, env=_ENV)
def test_bash_receives_what_the_preview_shows(
    tmp_path_factory: pytest.TempPathFactory, args, further, knobs, path, env
) -> None:
    recipe = Recipe(
        key="m", name="M", local_path=path, args=args, env={"A": env}, image="fork/image:tag"
    )
    change = change_of(recipe, knobs, further)
    changed = Recipe.model_validate({**recipe.model_dump(), "extra_args": change.extra_args})
    plan = plan_launch(changed, path, LaunchSettings())
    shown = adapt(plan, LauncherFeatures()).argv
    assert tuple(shlex.split(shlex.join(shown))) == shown
    assert _received(tmp_path_factory.mktemp("it's a ' Spark"), shown) == shown
    keys = [flag.key for flag in merge_flags(plan.vllm_argv[1:])]
    assert len(keys) == len(set(keys))
    # Of knobs and list the list counts, of the recipe and both the change does.
    listed = {flag.key: flag.values for flag in merge_flags(further)}
    in_force = {flag.key: flag.values for flag in merge_flags(plan.vllm_argv[1:])}
    assert listed.items() <= in_force.items()
    read = read_knobs(changed.flags)
    for key, knob in FIELDS.items():
        value = getattr(knobs, knob)
        if key not in listed and value is not None:
            assert (getattr(read, knob) or False) == value


def _received(folder: Path, argv: tuple[str, ...]) -> tuple[str, ...]:
    script = folder / "launch-cluster.sh"
    script.write_text('#!/bin/bash\nprintf \'%s\\0\' "$0" "$@" > argv\n')
    script.chmod(0o755)
    line = quote(RemoteCommand(argv=argv, cwd=str(folder)))
    subprocess.run(["bash", "-c", line], check=True, cwd="/")
    return tuple((folder / "argv").read_bytes().decode().split("\0")[:-1])


@pytest.mark.parametrize("recipe", BUNDLED, ids=lambda recipe: recipe.key)
def test_a_bundled_recipe_can_be_opened_and_saved_and_stays_the_same(recipe: Recipe) -> None:
    form = form_of(recipe)
    read, problems = read_form(form, recipe.key)
    assert [problem for problem in problems if problem.severity == "error"] == []
    assert read is not None
    launch = LaunchSettings()
    assert plan_launch(read, read.target, launch) == plan_launch(recipe, recipe.target, launch)
    assert changes_of(form, recipe.key, bundled_fields(recipe.key)) == {}


@settings(deadline=None)
@given(
    recipe=st.sampled_from(BUNDLED),
    args=_ARGS,
    name=st.sampled_from(["Other", "More"]),
    context=st.none() | st.integers(1, 9),
    keep=st.booleans(),
)
def test_an_override_has_what_the_form_says_and_no_more(recipe, args, name, context, keep) -> None:
    form = form_of(recipe)
    wanted = [*(form.args if keep else ()), *args]
    form = form.model_copy(update={"name": name, "args": wanted, "context_length": context})
    changes = changes_of(form, recipe.key, bundled_fields(recipe.key))
    saved = Recipe.model_validate(
        {**overlaid(bundled_fields(recipe.key), changes), "key": recipe.key}
    )
    assert {(flag.key, flag.values) for flag in saved.flags if flag.key not in DECIDED} == {
        (flag.key, flag.values) for flag in merge_flags(wanted)
    }
    assert saved.name == name
    assert set(changes) <= {"name", "args", "extra_args", "context_length"}


@settings(deadline=None)
@given(args=_ARGS, path=st.none() | _PATH, cluster=st.booleans())
def test_an_own_entry_is_what_the_form_says(args, path, cluster) -> None:
    form = RecipeForm(
        name="M",
        repo=None if path else "a/b",
        local_path=path,
        args=args,
        mode="cluster" if cluster else "solo",
        pipeline_parallel=3 if cluster else 1,
    )
    recipe, _ = read_form(form, "m")
    assert recipe is not None
    assert Recipe.model_validate({**fields_of(form, "m"), "key": "m"}) == recipe
    assert recipe.nodes == (3 if cluster else 1)


@settings(deadline=None)
@given(st.text(max_size=30) | _PATH)
def test_a_path_that_is_taken_is_one_word_for_every_shell_and_for_docker(path: str) -> None:
    try:
        taken = check_local_path(path)
    except ValueError:
        return
    assert taken == path
    assert shlex.quote(path) == path or set(path) & set("+=@")
    assert not set(path) & set(":, \t\n\"'$`\\*?[]{}()<>|&;!#~")
    assert str(Path(path)) == path
    assert not lies_inside("/data2/x", "/data")
    assert lies_inside(f"{path}/x", path)
