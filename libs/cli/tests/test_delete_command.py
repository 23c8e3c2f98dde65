"""``sparkctl delete`` shows the bytes first and asks, and says how it ended."""

import json

import pytest
from click.testing import CliRunner

from spark_cli.__main__ import main
from spark_cli.gateway_client import GatewayClient

PLAN = {
    "model": "gpt-oss",
    "repo": "org/gpt-oss",
    "name": "gpt-oss 120B",
    "places": [
        {
            "host": "spark1", "label": "Spark 1", "frees_bytes": 63_400_000_000, "shared_bytes": 0,
            "free_bytes": 1, "free_after_bytes": 700_000_000_000, "stale": False,
        },
        {
            "host": "spark2", "label": "Spark 2", "frees_bytes": 1_000_000_000,
            "shared_bytes": 2_000_000_000, "free_bytes": None, "free_after_bytes": None,
            "stale": True,
        },
    ],
    "frees_bytes": 64_400_000_000,
    "blockers": [],
    "notes": ["Its settings stay."],
}  # fmt: skip
DONE = {
    "complete": True,
    "freed_bytes": 1,
    "places": [{"host": "spark1", "label": "Spark 1", "freed_bytes": 63_400_000_000}],
}


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch):
    asked: list[tuple[str, object]] = []

    class Gateway:
        plan = dict(PLAN)
        done = dict(DONE)
        calls = asked

    def get(self: GatewayClient, path: str, **query: object) -> object:
        asked.append((path, query))
        return Gateway.plan

    def delete(self: GatewayClient, path: str, query: object, timeout_seconds: float) -> object:
        asked.append((path, query))
        return Gateway.done

    monkeypatch.setattr(GatewayClient, "get", get)
    monkeypatch.setattr(GatewayClient, "delete", delete)
    return Gateway


def test_the_plan_is_shown_and_nothing_touched(gateway) -> None:
    answer = CliRunner().invoke(main, ["delete", "gpt-oss", "--plan"])
    assert answer.exit_code == 0
    assert answer.output.splitlines() == [
        "gpt-oss 120B  (org/gpt-oss)",
        "on       frees    stays, shared  free then",
        "Spark 1  63.4 GB  0.0 GB         700.0 GB",
        "Spark 2  1.0 GB   2.0 GB         -          last known",
        "note: Its settings stay.",
    ]
    assert gateway.calls == [("/api/models/gpt-oss/disk", {})]


def test_it_asks_before_it_deletes(gateway) -> None:
    no = CliRunner().invoke(main, ["delete", "gpt-oss"], input="n\n")
    assert no.exit_code == 1
    assert len(gateway.calls) == 1
    yes = CliRunner().invoke(main, ["delete", "gpt-oss"], input="y\n")
    assert yes.exit_code == 0
    assert yes.output.endswith("Spark 1: freed 63.4 GB\n")


def test_yes_asks_nobody_and_names_the_sparks(gateway) -> None:
    answer = CliRunner().invoke(main, ["delete", "a/b", "--yes", "--host", "spark2"])
    assert answer.exit_code == 0
    ((path, query),) = gateway.calls
    assert path == "/api/models/a%2Fb/disk"
    assert query["host"] == ["spark2"]
    assert query["requested_by"].endswith("(sparkctl)")


def test_files_that_stay_are_a_failure_with_the_reason(gateway) -> None:
    places = [{"label": "Spark 2", "freed_bytes": 0, "problem": "Spark 2 does not answer."}]
    gateway.done = {"complete": False, "freed_bytes": 0, "places": places}
    answer = CliRunner().invoke(main, ["delete", "gpt-oss", "--yes"])
    assert (answer.exit_code, answer.output) == (1, "Spark 2: Spark 2 does not answer.\n")


def test_a_refused_plan_says_why(gateway) -> None:
    gateway.plan = {**PLAN, "blockers": ["It is loaded: switch first."]}
    answer = CliRunner().invoke(main, ["delete", "gpt-oss", "--plan"])
    assert answer.output.splitlines()[-1] == "refused: It is loaded: switch first."


def test_json_is_the_answer_of_the_api(gateway) -> None:
    answer = CliRunner().invoke(main, ["delete", "gpt-oss", "--yes", "--json"])
    assert json.loads(answer.output) == DONE
