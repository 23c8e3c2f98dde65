import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_common.errors import InvalidRequestError
from spark_common.remote import RemoteCommand, quote
from spark_swapper.launching.candidate import Candidate
from spark_swapper.launching.launch import LaunchSettings, plan_launch
from spark_swapper.launching.launcher import LauncherFeatures, adapt
from spark_swapper.recipes import Recipe

SETTINGS = LaunchSettings(container="vllm_node", image="vllm-node", port=8888)
HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned;",
    "' ; touch pwned ; '",
    '" ; touch pwned ; "',
    "a b  c",
    "*?[a-z]{1,2}",
    "~/x $HOME ${IFS}",
    "a\\b\\\\c",
    "!! && || | > pwned < /dev/null &",
    "#not a comment",
    "=(x)",
    "ünï ☃ 模型",
    "\t",
    "-tp 8",
    '{"method":"mtp","num_speculative_tokens":3}',
]


def recipe(**fields: object) -> Recipe:
    return Recipe.model_validate({"key": "m", "name": "M", "repo": "org/m", **fields})


def after_serve(plan: Candidate) -> tuple[str, ...]:
    at = plan.launch_argv.index("serve")
    return plan.launch_argv[at + 1 :]


def test_a_solo_model_is_started_alone_and_in_the_background() -> None:
    plan = plan_launch(recipe(args=["--max-model-len=4096"]), "org/m", SETTINGS)
    assert plan.launch_argv == (
        *("./launch-cluster.sh", "-t", "vllm-node", "--name", "vllm_node", "--solo", "-d"),
        *("exec", "vllm", "serve", "org/m", "--port", "8888", "--host", "0.0.0.0"),
        *("--served-model-name", "m", "--max-model-len", "4096"),
    )


def test_a_cluster_model_says_how_many_sparks_it_needs_and_nothing_else_of_them() -> None:
    old_style = ["-tp=2", "--distributed-executor-backend", "ray", "--nnodes=2", "--headless"]
    plan = plan_launch(recipe(mode="cluster", tensor_parallel=2, args=old_style), "org/m", SETTINGS)
    assert "--solo" not in plan.launch_argv
    assert after_serve(plan)[-2:] == ("-tp", "2")


@pytest.mark.parametrize(
    ("fields", "nodes", "flags"),
    [
        ({"tensor_parallel": 2}, 2, ("-tp", "2")),
        ({"pipeline_parallel": 2}, 2, ("-pp", "2")),
        ({"data_parallel": 3}, 3, ("-dp", "3")),
        (
            {"tensor_parallel": 2, "pipeline_parallel": 2, "data_parallel": 2},
            8,
            ("-tp", "2", "-pp", "2", "-dp", "2"),
        ),
    ],
)
def test_every_way_of_dividing_is_said_once(fields, nodes, flags) -> None:
    said = {"tensor_parallel": 1, "pipeline_parallel": 1, "data_parallel": 1, **fields}
    tensor, pipeline, data = map(str, said.values())
    old = [f"--tensor-parallel-size={tensor}", f"-pp={pipeline}", "--data_parallel_size", data]
    built = recipe(mode="cluster", args=old, **fields)
    assert built.nodes == nodes
    assert after_serve(plan_launch(built, "org/m", SETTINGS))[-len(flags) :] == flags


def test_a_local_model_is_launched_by_its_directory_which_is_mounted_where_it_is() -> None:
    built = recipe(
        repo=None, local_path="/data/tuned", args=["--chat-template=/data/tuned/c.jinja"]
    )
    plan = plan_launch(built, built.target, SETTINGS)
    assert plan.vllm_argv[0] == "/data/tuned"
    assert plan.volumes == ("/data/tuned:/data/tuned:ro",)
    # The launch itself is without: how a directory is mounted depends on the checkout.
    assert "-v" not in plan.launch_argv
    assert adapt(plan, LauncherFeatures()).argv == (
        *("./launch-cluster.sh", "-t", "vllm-node", "--name", "vllm_node", "--solo"),
        *("-v", "/data/tuned:/data/tuned:ro", "-d", "exec", "vllm", "serve", "/data/tuned"),
        *("--port", "8888", "--host", "0.0.0.0", "--served-model-name", "m"),
        *("--chat-template", "/data/tuned/c.jinja"),
    )
    assert plan_launch(recipe(), "org/m", SETTINGS).volumes == ()


def test_a_solo_model_never_asks_for_a_second_spark() -> None:
    plan = plan_launch(recipe(args=["-tp", "1", "--trust-remote-code"]), "org/m", SETTINGS)
    assert after_serve(plan)[-1] == "--trust-remote-code"
    assert "-tp" not in plan.launch_argv


@pytest.mark.parametrize(
    "args",
    [
        ["-tp", "4"],
        ["-tp=4"],
        ["--tensor-parallel-size=4"],
        ["--tensor_parallel_size", "4"],
        ["-tp", "2", "-tp", "4"],
        ["-tp"],
        ["-tp", "2", "2"],
        ["-tp", "two"],
        ["-pp=2"],
        ["--data-parallel-size", "2"],
    ],
)
@pytest.mark.parametrize("place", ["args", "extra_args"])
@pytest.mark.parametrize("fields", [{}, {"mode": "cluster", "tensor_parallel": 2}])
def test_arguments_that_want_other_sparks_than_the_fields_are_refused(args, place, fields) -> None:
    with pytest.raises(ValueError, match=r"--\w+-parallel-size contradicts \w+_parallel"):
        recipe(**fields, **{place: args})


def test_our_port_host_and_name_win() -> None:
    plan = plan_launch(
        recipe(args=["--port=8000", "--host", "::", "--served_model_name", "given"]),
        "org/m",
        SETTINGS,
    )
    expected = ("--port", "8888", "--host", "0.0.0.0", "--served-model-name", "given")
    assert after_serve(plan)[1:] == expected
    assert plan.served_name == "given"


def test_a_knob_replaces_the_flag_of_the_bundle() -> None:
    plan = plan_launch(
        recipe(args=["--max-model-len=4096"], extra_args=["--max_model_len", "8192"]),
        "org/m",
        SETTINGS,
    )
    assert after_serve(plan)[-2:] == ("--max_model_len", "8192")
    assert "--max-model-len" not in plan.launch_argv


def test_options_of_the_launcher_stand_before_the_action() -> None:
    plan = plan_launch(
        recipe(image="vllm-node-b12x", mods=["mods/fix-x"], env={"A": "1"}), "org/m", SETTINGS
    )
    options = plan.launch_argv[: plan.launch_argv.index("exec")]
    assert options == (
        *("./launch-cluster.sh", "-t", "vllm-node-b12x", "--name", "vllm_node", "--solo"),
        *("--apply-mod", "mods/fix-x", "-e", "A=1", "-d"),
    )


def test_what_is_checked_is_what_is_started() -> None:
    plan = plan_launch(recipe(args=["--seed=1"]), "org/m", SETTINGS)
    assert after_serve(plan) == plan.vllm_argv


def test_it_is_stopped_by_name_on_one_host() -> None:
    plan = plan_launch(recipe(), "org/m", SETTINGS)
    assert plan.stop_argv == (
        *("./launch-cluster.sh", "-t", "vllm-node", "--name", "vllm_node", "--solo", "stop"),
    )


def test_the_repository_is_launched_as_it_is_spelled_on_disk() -> None:
    plan = plan_launch(recipe(), "Org/M", SETTINGS)
    assert plan.vllm_argv[0] == "Org/M"


@pytest.mark.parametrize("repo", ["org/m\nrm", "org/\0", "a\x1b"])
def test_control_characters_never_become_arguments(repo: str) -> None:
    with pytest.raises(InvalidRequestError):
        plan_launch(recipe(), repo, SETTINGS)


_TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=60)


@given(repo=_TEXT, knob=_TEXT, path=_TEXT)
def test_any_name_path_and_knob_survives_quoting(repo: str, knob: str, path: str) -> None:
    built = recipe(args=[f"--chat-template={path}", f"--hf-overrides={knob}"])
    plan = plan_launch(built, repo, SETTINGS)
    line = quote(RemoteCommand(argv=plan.launch_argv))
    assert tuple(shlex.split(line)) == plan.launch_argv
    assert repo in plan.vllm_argv
    for value in (path, knob):
        assert value in plan.vllm_argv or any(
            element.partition("=")[2] == value for element in plan.vllm_argv
        )


def seen_by_the_script(folder: Path, plan: Candidate) -> tuple[str, ...]:
    """Run the launch through real bash, against a script that writes down its arguments."""
    script = folder / "launch-cluster.sh"
    script.write_text('#!/bin/bash\nprintf \'%s\\0\' "$0" "$@" > argv\n')
    script.chmod(0o755)
    line = quote(RemoteCommand(argv=plan.launch_argv, cwd=str(folder)))
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr
    return tuple((folder / "argv").read_bytes().decode().split("\0")[:-1])


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_values_reach_a_real_shell_as_one_argument(tmp_path: Path, hostile: str) -> None:
    if hostile == "\t":
        with pytest.raises(ValueError):
            recipe(args=["--chat-template=\t"])
        return
    plan = plan_launch(recipe(args=[f"--chat-template={hostile}"]), "org/m", SETTINGS)
    assert seen_by_the_script(tmp_path, plan) == plan.launch_argv
    as_repo = plan_launch(recipe(), hostile, SETTINGS)
    assert seen_by_the_script(tmp_path, as_repo) == as_repo.launch_argv
    assert sorted(path.name for path in tmp_path.iterdir()) == ["argv", "launch-cluster.sh"]


@settings(max_examples=25, deadline=None)
@given(value=_TEXT)
def test_any_value_reaches_a_real_shell_as_one_argument(
    tmp_path_factory: pytest.TempPathFactory, value: str
) -> None:
    folder = tmp_path_factory.mktemp("spark ' with a strange name")
    plan = plan_launch(recipe(args=[f"--chat-template={value}"]), "org/m", SETTINGS)
    assert seen_by_the_script(folder, plan) == plan.launch_argv
