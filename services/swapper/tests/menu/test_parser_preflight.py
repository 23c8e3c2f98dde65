import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from spark_common.errors import DeadlineExceededError, HostUnreachableError
from spark_common.remote import RemoteResult
from spark_swapper.checks.preflight import (
    MARKER,
    ParserPreflight,
    judge,
    preflight_script,
    volumes_of,
)
from spark_swapper.launching.candidate import Candidate
from spark_swapper.launching.launch import LaunchSettings, plan_launch
from spark_swapper.recipes import Recipe

DATA = Path(__file__).parents[1] / "data" / "preflight"


def captured(name: str, exit_code: int) -> RemoteResult:
    """What a real vLLM 0.32 answered."""
    out, err = ((DATA / f"{name}.{kind}").read_text() for kind in ("out", "err"))
    return RemoteResult(exit_code, out, err)


@pytest.mark.parametrize("name", ["good", "deep_good"])
def test_a_real_yes_is_good(name) -> None:
    assert judge(captured(name, 0), modded=False).verdict == "good"


@pytest.mark.parametrize(
    ("name", "exit_code", "line"),
    [
        ("bad_flag", 2, "unrecognized arguments: --no-such-flag 3"),
        ("removed_flag", 2, "unrecognized arguments: --swap-space 4"),
        ("bad_value", 2, "argument --max-model-len: invalid human_readable_int_or_auto value"),
        ("bad_choice", 2, "argument --dtype: invalid choice: 'float99'"),
        ("bad_json", 2, "argument --speculative-config/-sc: Value {bad cannot be converted"),
        ("bad_tool_parser", 3, "invalid tool call parser: nope"),
    ],
)
def test_a_real_no_is_bad_and_names_the_line(name, exit_code, line) -> None:
    result = judge(captured(name, exit_code), modded=False)
    assert result.verdict == "bad"
    assert line in result.message
    assert result.evidence[0].startswith(line)
    assert len(result.evidence[0]) <= 400
    assert "usage:" not in result.message


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("auto_tool_without_parser", "TypeError: Error: --enable-auto-tool-choice requires"),
        ("validate_chat_template", "appears path-like, but doesn't exist"),
    ],
)
def test_a_traceback_is_no_verdict(name, reason) -> None:
    result = judge(captured(name, 1), modded=False)
    assert result.verdict == "unknown"
    assert reason in result.message


@pytest.mark.parametrize(
    "result",
    [
        RemoteResult(0, "INFO something else\n", ""),
        RemoteResult(0, MARKER + "{not json\n", ""),
        RemoteResult(2, "", "python3: can't open file\n"),
        RemoteResult(3, "", "no marker\n"),
        RemoteResult(125, "", "docker: Error response from daemon: Conflict.\n"),
        RemoteResult(127, "", "docker: command not found\n"),
        RemoteResult(137, "", ""),
        RemoteResult(None, "", ""),
        RemoteResult(1, "", "RuntimeError: Failed to infer device type\n"),
    ],
)
def test_a_check_that_did_not_run_is_unknown(result) -> None:
    found = judge(result, modded=False)
    assert found.verdict == "unknown"
    assert found.message


def test_without_the_mods_a_no_proves_nothing() -> None:
    result = judge(captured("bad_flag", 2), modded=True)
    assert result.verdict == "unknown"
    assert "--no-such-flag" in result.message


# A vLLM of three files: its argument parser, its later checks, and no server.
_SERVE = (
    "class ServeSubcommand:\n    @staticmethod\n    def cmd(args): raise SystemExit('started')\n"
)
_MAIN = """
import argparse, sys
from vllm.entrypoints.cli.serve import ServeSubcommand
def main():
    parser = argparse.ArgumentParser(prog="vllm serve")
    parser.add_argument("model_tag")
    parser.add_argument("--port", type=int)
    for name in ("host", "served-model-name", "tool-call-parser", "chat-template"):
        parser.add_argument("--" + name)
    parser.add_argument("--enable-auto-tool-choice", action="store_true")
    args = parser.parse_args(sys.argv[2:])
    print("INFO: a line of vLLM itself")
    if args.enable_auto_tool_choice and not args.tool_call_parser:
        raise TypeError("Error: --enable-auto-tool-choice requires --tool-call-parser")
    if args.chat_template:
        raise ValueError("no such template")
    ServeSubcommand().cmd(args)
"""
_SERVER = """
def validate_api_server_args(args):
    if args.tool_call_parser == "nope":
        raise KeyError("invalid tool call parser: nope (chose from { a,b })")
"""


@pytest.fixture
def spark(hubs, folder_shell):
    """A Spark whose fake docker runs the real script against that vLLM."""
    home = hubs["spark1"].home
    for path, text in {
        "vllm/entrypoints/cli/serve.py": _SERVE,
        "vllm/entrypoints/cli/main.py": _MAIN,
        "vllm/entrypoints/openai/api_server.py": _SERVER,
    }.items():
        (home / "site" / path).parent.mkdir(parents=True, exist_ok=True)
        (home / "site" / path).write_text(text)
    (home / "bin").mkdir()
    docker = home / "bin" / "docker"
    docker.write_text(
        "#!/bin/bash\n"
        'printf "%s\\n" "$*" >> "$HOME/docker.log"\n'
        'case "$1" in\n'
        '  image) echo "sha256:${@: -1}";;\n'
        '  inspect) cat "$HOME/container" 2>/dev/null || { echo "no such object" >&2; exit 1; };;\n'
        "  exec) shift 3;;&\n"
        '  run) while [[ "$1" != python3 ]]; do shift; done;;&\n'
        f'  exec|run) PYTHONPATH="$HOME/site" exec {sys.executable} "${{@:2}}";;\n'
        "esac\n"
    )
    docker.chmod(0o755)
    return home


def candidate(*args: str, mods: tuple[str, ...] = ()) -> Candidate:
    recipe = Recipe.model_validate(
        {"key": "m", "name": "M", "repo": "org/m", "args": args, "mods": mods}
    )
    return plan_launch(recipe, "org/m", LaunchSettings(), ["spark1"])


async def test_good_arguments_are_good(spark, folder_shell) -> None:
    result = await ParserPreflight(folder_shell, "vllm_node")(candidate())
    assert result.verdict == "good"
    assert "can still fail" in result.message


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (("--bogus=1",), "unrecognized arguments: --bogus 1"),
        (("--tool-call-parser=nope",), "invalid tool call parser: nope"),
        (("--enable-auto-tool-choice",), "--enable-auto-tool-choice requires --tool-call-parser"),
    ],
)
async def test_bad_arguments_are_bad(spark, folder_shell, args, line) -> None:
    result = await ParserPreflight(folder_shell, "vllm_node")(candidate(*args))
    assert result.verdict == "bad"
    assert line in result.message


async def test_what_only_the_start_can_know_is_unknown(spark, folder_shell) -> None:
    result = await ParserPreflight(folder_shell, "vllm_node")(candidate("--chat-template=x"))
    assert (result.verdict, result.message) == ("unknown", "ValueError: no such template")


async def test_the_container_that_is_up_is_asked(spark, folder_shell) -> None:
    (spark / "container").write_text("true sha256:vllm-node\n")
    await ParserPreflight(folder_shell, "vllm_node")(candidate())
    asked = (spark / "docker.log").read_text().splitlines()
    assert asked[-1].startswith("exec -i vllm_node python3 - org/m --port 8888")


@pytest.mark.parametrize("container", ["true sha256:older-build", "false sha256:vllm-node"])
async def test_another_image_is_not_asked_for_its_flags(spark, folder_shell, container) -> None:
    (spark / "container").write_text(container + "\n")
    await ParserPreflight(folder_shell, "vllm_node")(candidate())
    asked = (spark / "docker.log").read_text().splitlines()
    assert asked[-1].startswith(
        "run --rm -i --gpus all --network none --entrypoint= vllm-node python3 - org/m"
    )


@pytest.mark.parametrize(
    ("launcher_options", "env"),
    [
        (("-v", "/data/mine:/models/mine"), {}),
        (("--volume=/data/mine:/models/mine:rw",), {}),
        ((), {"VLLM_SPARK_EXTRA_DOCKER_ARGS": "-v /data/mine:/models/mine"}),
    ],
)
async def test_a_launch_with_volumes_is_checked_where_they_are(
    spark, folder_shell, launcher_options, env
) -> None:
    (spark / "container").write_text("true sha256:vllm-node\n")
    plain = candidate("--chat-template=/models/mine/t.jinja")
    launcher, *rest = plain.launch_argv
    local = replace(plain, launch_argv=(launcher, *launcher_options, *rest), env=env)
    await ParserPreflight(folder_shell, "vllm_node")(local)
    (asked,) = (spark / "docker.log").read_text().splitlines()
    assert asked.startswith(
        "run --rm -i --gpus all --network none --entrypoint= "
        "-v /data/mine:/models/mine:ro vllm-node python3 - org/m --port"
    )


def test_a_v_of_vllm_itself_is_no_volume() -> None:
    assert volumes_of(candidate("--no-such", "-v", "x:y")) == ()
    assert volumes_of(replace(candidate(), volumes=("/a:/a:ro",))) == ("/a:/a:ro",)


async def test_a_deep_check_reads_the_models_and_cannot_write_them(spark, folder_shell) -> None:
    (spark / "container").write_text("true sha256:vllm-node\n")
    result = await ParserPreflight(folder_shell, "vllm_node")(candidate(), deep=True)
    assert result.verdict == "good"
    (asked,) = (spark / "docker.log").read_text().splitlines()
    cache = f"{spark}/.cache/huggingface:/root/.cache/huggingface:ro"
    assert f"-v {cache} -e HF_HUB_OFFLINE=1 -e SPARKCTL_DEEP=1 vllm-node" in asked


@pytest.mark.parametrize(
    ("raises", "verdict"),
    [
        ("ValueError('max_model_len (9) is greater than the derived max_model_len (4)')", "bad"),
        ("NotImplementedError('no such architecture')", "bad"),
        ("OSError('org/m is not a local folder')", "unknown"),
        ("RuntimeError('Failed to infer device type')", "unknown"),
        ("TypeError('unexpected keyword')", "unknown"),
    ],
)
def test_only_the_configuration_itself_says_no(spark, raises, verdict) -> None:
    engine = spark / "site" / "vllm" / "engine" / "arg_utils.py"
    engine.parent.mkdir()
    engine.write_text(
        "class AsyncEngineArgs:\n"
        "    @classmethod\n    def from_cli_args(cls, args): return cls()\n"
        f"    def create_engine_config(self): raise {raises}\n"
    )
    environment = {"PYTHONPATH": str(spark / "site"), "SPARKCTL_DEEP": "1"}
    ran = subprocess.run(
        [sys.executable, "-", "org/m"],
        input=preflight_script(),
        env=environment,
        capture_output=True,
    )
    result = RemoteResult(ran.returncode, ran.stdout.decode(), ran.stderr.decode())
    assert judge(result, modded=False).verdict == verdict


@pytest.mark.parametrize(
    "error", [DeadlineExceededError("60 s"), HostUnreachableError("no route to host")]
)
async def test_a_spark_that_does_not_answer_is_unknown(spark, folder_shell, error) -> None:
    folder_shell.trouble["spark1"] = error
    result = await ParserPreflight(folder_shell, "vllm_node")(candidate())
    assert result.verdict == "unknown"


def test_the_script_starts_no_server_and_ends_by_itself() -> None:
    script = preflight_script().decode()
    compile(script, "preflight", "exec")
    assert "signal.alarm(GIVE_UP_SECONDS)" in script


async def test_arguments_stay_arguments(spark, folder_shell) -> None:
    hostile = candidate("--served-model-name=x", "--host=y")
    argv = ("org/$(touch pwned); `id` '\"", *hostile.vllm_argv[1:])
    changed = Candidate(**{**hostile.__dict__, "vllm_argv": argv})
    result = await ParserPreflight(folder_shell, "vllm_node")(changed)
    assert result.verdict == "good"
    assert not (spark / "pwned").exists()
    assert json.dumps(argv[0])[1:-1].replace('\\"', '"') in (spark / "docker.log").read_text()
    assert [path.name for path in (spark / "bin").iterdir()] == ["docker"]
