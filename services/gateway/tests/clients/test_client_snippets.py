"""The examples of the page, run as they stand there."""

import ast
import contextlib
import gc
import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.connected

CONNECT = Path(__file__).parents[2] / "src" / "spark_gateway" / "static" / "late" / "connect"
READ = """
import { CLIENTS } from "./snippets.js";
const place = JSON.parse(process.argv[1]);
console.log(JSON.stringify(Object.fromEntries(CLIENTS.map(({ id, code }) => [id, code(place)]))));
"""
SHELL = ("curl", "claude-code", "open-webui", "home-assistant", "speech")
PYTHON = ("openai-python", "anthropic", "langchain")


def examples(**place: str) -> dict[str, str]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    run = subprocess.run(
        [node, "--input-type=module", "-e", READ, json.dumps({"key": "none", **place})],
        cwd=CONNECT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    said: dict[str, str] = json.loads(run.stdout)
    return said


def test_an_example_is_code_whatever_a_model_is_called() -> None:
    hostile = "o'dd \"$(touch x)` \\ é\n\u2028"
    codes = examples(origin="http://spark:9999", model=hostile, embedder=hostile)
    for name in PYTHON:
        texts = {
            node.value
            for node in ast.walk(ast.parse(codes[name]))
            if isinstance(node, ast.Constant)
        }
        assert hostile in texts, name
    for name in SHELL:
        run = subprocess.run(
            ["sh", "-n"], input=codes[name], text=True, capture_output=True, timeout=10, check=False
        )
        assert run.returncode == 0, f"{name}: {run.stderr}"
    said = subprocess.run(
        ["sh", "-c", codes["claude-code"].replace("\nclaude", '\nprintf %s "$ANTHROPIC_MODEL"')],
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    assert said.stdout == hostile
    assert json.loads(codes["opencode"])["provider"]["spark"]["models"] == {hostile: {}}


def test_the_examples_get_an_answer(town: Any) -> None:
    url = town.url
    codes = examples(origin=url, model="auto", embedder="BAAI/bge-m3")
    for name in PYTHON:
        said = io.StringIO()
        names: dict[str, Any] = {}
        with contextlib.redirect_stdout(said):
            exec(compile(codes[name], name, "exec"), names)
        # A program of a reader's would end here, and its connections with it.
        for each in names.values():
            client = getattr(each, "root_client", each)
            if callable(getattr(client, "close", None)) and not isinstance(client, type):
                client.close()
        del names, each, client
        gc.collect()
        assert said.getvalue().strip(), name
    run = subprocess.run(
        ["sh", "-c", codes["curl"]], capture_output=True, text=True, timeout=60, check=True
    )
    assert "data: [DONE]" in run.stdout
