"""``sparkctl recipe | knobs | setup | templates`` against a gateway that remembers."""

import json
from typing import Any

import httpx
import pytest
import yaml
from click.testing import CliRunner

from spark_cli import gateway_client
from spark_cli.__main__ import main
from spark_cli.commands.knobs import merged
from spark_cli.commands.recipe import read_form

FORM = {
    "key": "mine",
    "name": "Mine",
    "repo": "alice/mine",
    "mode": "cluster",
    "tensor_parallel": 2,
    "env": {"A": "1"},
    "args": ["--seed=1"],
    "mods": [],
}
PREVIEW = {
    "launch_argv": ["./launch-cluster.sh", "exec"],
    "launch_cmd": "./launch-cluster.sh exec",
    "problems": [],
    "memory": {"sentences": ["About 96 GB for the model."], "warnings": ["Only 5 GB stay free."]},
}
DETAIL = {
    "form": FORM,
    "source": "override",
    "knobs": {"max_model_len": 4096, "fast_load": False},
    "bundled_knobs": {"max_model_len": 8192, "fast_load": False},
    "flags": ["--max-num-seqs=4", "--allowed-origins", "a", "b"],
    "preview": PREVIEW,
}


def said(value: object) -> dict[str, object]:
    return {"value": value, "source": "config.json", "certainty": "read"}


SUGGESTION = {
    "key": "mine",
    "repo": "/data/mine",
    "name": "Mine",
    "read_from": "spark1",
    "size_bytes": 5,
    **{field: said(None) for field in ("image", "quantization", "tool_parser", "reasoning_parser")},
    "mode": said("solo"),
    "tensor_parallel": said(1),
    "served_name": said("mine"),
    "context_length": said(4096),
    "capabilities": said(["chat"]),
    "args": [said("--max-model-len=4096")],
    "env": [said("A=b=c")],
}


class Gateway:
    """Answers as the recipe routes do, and keeps the requests."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.preview: dict[str, Any] = PREVIEW
        self.detail: dict[str, Any] = DETAIL

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        path = request.url.raw_path.decode()
        self.asked.append((request.method, path, body))
        if path.startswith("/api/models/suggest"):
            return httpx.Response(200, json=SUGGESTION)
        if path.startswith("/api/recipes/preview"):
            return httpx.Response(200, json=self.preview)
        if path.startswith("/api/recipes/templates?"):
            one = {"name": "qwen", "repo": "q/q", "mode": "either", "image": "i"}
            bad = {"name": "bad", "mode": "either", "problem": "it is not valid YAML"}
            return httpx.Response(200, json={"templates": [one, bad]})
        return httpx.Response(200, json=self.detail)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    found = Gateway()
    real = httpx.Client

    def client(**arguments: Any) -> httpx.Client:
        return real(**{**arguments, "transport": httpx.MockTransport(found)})

    monkeypatch.setattr(gateway_client.httpx, "Client", client)
    return found


def run(*arguments: str, text: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments, input=text)
    return result.exit_code, result.output


def test_a_recipe_is_shown_with_its_knobs_and_what_it_runs(gateway) -> None:
    code, text = run("recipe", "show", "a/b c")
    assert code == 0
    assert gateway.asked == [("GET", "/api/models/a%2Fb%20c/recipe", None)]
    for part in ("mine (override)", "cluster (tensor 2)", "(bundled: 8192)", "runs:", "careful: "):
        assert part in text
    assert "  ./launch-cluster.sh exec" in text


def test_a_shown_form_can_be_saved_again(gateway) -> None:
    _, text = run("recipe", "show", "mine", "--yaml")
    assert yaml.safe_load(text) == {name: value for name, value in FORM.items() if value}
    code, _ = run("recipe", "save", "-", "--replace", text=text)
    assert code == 0
    method, path, body = gateway.asked[-1]
    assert (method, path, body["replace"], body["args"]) == (
        *("POST", "/api/models", True, ["--seed=1"]),
    )
    assert body["requested_by"].endswith("(sparkctl)")


@pytest.mark.parametrize("text", ["a: [", "- a\n", "words", "[" * 5000, "d: 2026-99-99"])
def test_what_is_no_recipe_is_said(gateway, text) -> None:
    code, said_ = run("recipe", "save", "-", text=text)
    assert code == 1
    assert "Error: " in said_
    assert gateway.asked == []


def test_removing_asks_first(gateway) -> None:
    assert run("recipe", "remove", "mine", text="n\n")[0] == 1
    assert gateway.asked == []
    assert run("recipe", "remove", "mine", "--yes")[0] == 0
    assert gateway.asked[0][:2][0] == "DELETE"


def test_a_preview_that_cannot_be_saved_is_exit_1(gateway, tmp_path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(FORM))
    assert run("recipe", "preview", str(file))[0] == 0
    assert gateway.asked[-1][2] == {"recipe": FORM}
    problem = {"severity": "error", "field": "--x", "message": "is not known"}
    gateway.preview = {**PREVIEW, "problems": [problem]}
    code, text = run("recipe", "preview", "mine")
    assert code == 1
    assert "error: --x: is not known" in text
    assert gateway.asked[-1][2] == {"model": "mine"}


def test_knobs_that_are_not_named_stay(gateway) -> None:
    code, _ = run("knobs", "mine", "--fast-load", "--flag", "--seed=2", "--drop", "allowed-origins")
    assert code == 0
    method, path, body = gateway.asked[-1]
    assert (method, path) == ("PUT", "/api/models/mine/knobs")
    assert body["knobs"] == {"max_model_len": 4096, "fast_load": True}
    assert body["flags"] == ["--max-num-seqs=4", "--seed=2"]
    assert run("knobs", "mine")[0] == 0
    assert gateway.asked[-1][0] == "GET"
    run("knobs", "mine", "--max-model-len", "1", "--dry-run")
    assert gateway.asked[-1][:2] == ("POST", "/api/recipes/preview")


@pytest.mark.parametrize("further", [(), ("--max-model-len", "1", "--flag=--seed=2")])
@pytest.mark.parametrize(("bundled", "wanted"), [(DETAIL["bundled_knobs"],) * 2, (None, {})])
def test_a_reset_is_tried_as_it_would_be_saved(gateway, further, bundled, wanted) -> None:
    gateway.detail = {**DETAIL, "bundled_knobs": bundled}
    run("knobs", "mine", "--reset", *further, "--dry-run")
    bare = {"model": "mine", "knobs": wanted, "flags": []}
    assert gateway.asked[-1] == ("POST", "/api/recipes/preview", bare)
    run("knobs", "mine", "--reset", *further)
    assert gateway.asked[-1][:2] == ("PUT", "/api/models/mine/knobs")
    assert gateway.asked[-1][2]["reset"] is True


@pytest.mark.parametrize(
    ("present", "added", "dropped", "wanted"),
    [
        (["--a=1"], ("--a=2",), (), ["--a=2"]),
        (["--a_b=1", "--c"], ("--a-b=2",), (), ["--c", "--a-b=2"]),
        (["--a", "x", "y", "--b"], (), ("--a",), ["--b"]),
        (["--no-x"], ("--x",), (), ["--x"]),
    ],
)
def test_a_flag_of_the_list_is_exchanged_however_it_is_spelled(
    present, added, dropped, wanted
) -> None:
    assert merged(present, added, dropped) == wanted


def test_setup_suggests_shows_asks_and_saves(gateway) -> None:
    assert run("setup", "/data/mine", text="n\n")[0] == 1
    assert [method for method, _, _ in gateway.asked] == ["GET", "POST"]
    code, text = run("setup", "/data/mine", "--yes", "--key", "tuned")
    assert code == 0
    body = gateway.asked[-1][2]
    assert (body["key"], body["local_path"], body["env"]) == ("tuned", "/data/mine", {"A": "b=c"})
    assert "repo" not in body
    assert "saved" in text


def test_setup_with_json_has_nothing_but_the_recipe_on_standard_output(gateway) -> None:
    done = CliRunner().invoke(main, ["setup", "/data/mine", "--json"], input="y\n")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == DETAIL
    assert "Save this recipe?" in done.stderr


def test_templates_are_listed_and_imported(gateway) -> None:
    code, text = run("templates")
    assert code == 0
    assert "bad: it is not valid YAML" in text
    run("templates", "--import", "qwen", "--replace")
    assert gateway.asked[-1][2]["name"] == "qwen"
    assert gateway.asked[-1][2]["replace"] is True


def test_json_is_read_as_well() -> None:
    assert read_form('{"name": "x"}') == {"name": "x"}
