"""``sparkctl settings`` against a scripted gateway; secrets are never arguments and never shown."""

import json
import stat

import pytest

PORT = {
    "name": "VLLM_PORT",
    "label": "Port of vLLM",
    "help": "Where vLLM listens.",
    "group": "vLLM",
    "kind": "integer",
    "choices": [],
    "unit": None,
    "default": 8888,
    "value": 8890,
    "source": "owner",
    "is_set": False,
}
DRAIN = PORT | {
    "name": "DRAIN_SECONDS",
    "label": "Drain",
    "help": "How long answers may go on.",
    "group": "Swaps",
    "kind": "number",
    "unit": "s",
    "default": 30.0,
    "value": 30.0,
    "source": "default",
}
TOKEN = PORT | {
    "name": "HF_TOKEN",
    "label": "Token of Hugging Face",
    "help": "For downloads.",
    "group": "Keys",
    "kind": "secret",
    "default": None,
    "value": None,
    "is_set": True,
}
VIEW = {"version": 3, "settings": [PORT, DRAIN, TOKEN], "warnings": ["X is blank"]}
DOCUMENT = {
    "product": "spark-control",
    "format": 1,
    "settings": {"VLLM_PORT": "8890"},
    "secrets": None,
    "missing_secrets": ["HF_TOKEN"],
}
IMPORTED = {
    "settings": 2,
    "secrets": 1,
    "schedules": 0,
    "webhooks": 0,
    "overrides": True,
    "warnings": ["THEME was left out: there is no such setting"],
}


@pytest.fixture(autouse=True)
def answers(gateway, monkeypatch):
    monkeypatch.delenv("SPARK_CONTROL_PASSPHRASE", raising=False)
    gateway.says("GET", "/api/settings", VIEW)
    gateway.says("POST", "/api/settings", VIEW)
    gateway.says("POST", "/api/state/export", DOCUMENT)
    gateway.says("POST", "/api/state/import", IMPORTED)


def test_all_settings_are_shown_by_group(run):
    assert run("settings", "show").output.splitlines() == [
        "vLLM",
        "  VLLM_PORT      8890  (set by you)",
        "Swaps",
        "  DRAIN_SECONDS  30 s  (default)",
        "Keys",
        "  HF_TOKEN       set  (set by you)",
        "warning: X is blank",
    ]
    assert json.loads(run("settings", "show", "--json").output) == VIEW


def test_one_setting_is_shown_with_its_help(run):
    assert run("settings", "show", "DRAIN_SECONDS").output.splitlines() == [
        "DRAIN_SECONDS: 30 s  (default)",
        "  Drain. How long answers may go on.",
        "  Default: 30.",
    ]
    missing = run("settings", "show", "NOTHING")
    assert (missing.exit_code, "there is no setting NOTHING" in missing.output) == (1, True)


def test_values_are_set_from_the_version_that_was_seen(gateway, run):
    result = run("settings", "set", "VLLM_PORT=8890", "DRAIN_SECONDS=5")
    assert result.exit_code == 0
    body = gateway.body()
    assert (body["version"], body["secrets"]) == (3, {})
    assert body["values"] == {"VLLM_PORT": "8890", "DRAIN_SECONDS": "5"}


def test_a_secret_comes_over_standard_input(gateway, run):
    result = run("settings", "set", "HF_TOKEN", text="hush\n")
    assert gateway.body()["secrets"] == {"HF_TOKEN": "hush"}
    assert "hush" not in result.output


def test_a_secret_comes_out_of_the_environment(gateway, run, monkeypatch):
    missing = run("settings", "set", "--from-env", "HF_TOKEN")
    assert "HF_TOKEN is not in the environment" in missing.output
    monkeypatch.setenv("HF_TOKEN", "hush")
    run("settings", "set", "--from-env", "HF_TOKEN")
    assert gateway.body()["secrets"] == {"HF_TOKEN": "hush"}


def test_a_secret_as_an_argument_is_refused_and_not_sent(gateway, run):
    result = run("settings", "set", "HF_TOKEN=hush")
    assert result.exit_code == 2
    assert "hush" not in result.output
    assert "everybody on this machine" in result.output
    assert gateway.calls == [("GET", "/api/settings")]


def test_clearing_takes_values_and_secrets_back(gateway, run):
    run("settings", "clear", "VLLM_PORT", "HF_TOKEN")
    body = gateway.body()
    assert (body["values"], body["secrets"]) == ({"VLLM_PORT": None}, {"HF_TOKEN": None})


def test_a_refusal_is_one_line(gateway, run):
    problem = {"detail": "VLLM_PORT: must be a port", "code": "invalid_request"}
    gateway.says("POST", "/api/settings", problem, 422)
    result = run("settings", "set", "VLLM_PORT=0")
    assert result.exit_code == 3
    assert "VLLM_PORT: must be a port" in result.output


@pytest.mark.parametrize("how", ["stdin", "environment", "none"])
def test_an_export_is_a_file_for_its_owner_only(gateway, run, tmp_path, monkeypatch, how):
    file = tmp_path / "state.json"
    if how == "environment":
        monkeypatch.setenv("SPARK_CONTROL_PASSPHRASE", "correct horse")
    words = ["--passphrase"] if how == "stdin" else []
    result = run("settings", "export", str(file), *words, text="correct horse\n")
    assert result.exit_code == 0
    assert gateway.body() == ({} if how == "none" else {"passphrase": "correct horse"})
    assert json.loads(file.read_text()) == DOCUMENT
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "left out: HF_TOKEN" in result.output
    assert "correct horse" not in result.output


def test_a_place_where_nothing_can_be_written_is_one_line(run, tmp_path):
    result = run("settings", "export", str(tmp_path / "none" / "state.json"))
    assert (result.exit_code, result.exception.__class__) == (1, SystemExit)
    assert "state.json cannot be written: No such file or directory" in result.output


def test_an_import_tells_what_it_did(gateway, run, tmp_path):
    file = tmp_path / "state.json"
    file.write_text(json.dumps(DOCUMENT))
    result = run("settings", "import", "--yes", "--passphrase", str(file), text="correct horse\n")
    assert result.output.splitlines() == [
        "imported: 2 settings, 1 secrets, 0 schedules, 0 webhooks",
        "your recipes were replaced; the file that was there is kept beside them",
        "warning: THEME was left out: there is no such setting",
    ]
    body = gateway.body()
    assert (body["document"], body["passphrase"]) == (DOCUMENT, "correct horse")


def test_a_dry_run_and_the_question_say_what_would_change(gateway, run, tmp_path):
    file = tmp_path / "state.json"
    file.write_text(json.dumps(DOCUMENT))
    port = {"part": "settings", "name": "VLLM_PORT", "how": "replaced"}
    target = {"part": "webhooks", "name": "Alice", "how": "added", "before": None, "after": None}
    changes = [port | {"before": "8888", "after": "8890"}, target]
    gateway.says("POST", "/api/state/import", IMPORTED | {"dry_run": True, "changes": changes})
    told = [
        "would change:",
        "  settings: VLLM_PORT replaced, 8888 -> 8890",
        "  webhooks: Alice added",
        "warning: THEME was left out: there is no such setting",
    ]
    assert run("settings", "import", "--dry-run", str(file)).output.splitlines() == told
    refused = run("settings", "import", str(file), text="n\n")
    assert (refused.exit_code, refused.output.splitlines()[:4]) == (1, told)
    assert gateway.body()["dry_run"] is True


def test_nothing_is_imported_without_a_yes_or_from_what_is_no_json(gateway, run, tmp_path):
    file = tmp_path / "state.json"
    file.write_text("{")
    assert "not JSON" in run("settings", "import", "--yes", str(file)).output
    file.write_text("[" * 100_000)
    assert "not JSON" in run("settings", "import", "--yes", str(file)).output
    assert gateway.asked == []
