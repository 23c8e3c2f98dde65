"""``sparkctl delete`` shows the bytes first and asks, and says how it ended."""

import json

import pytest

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


PLACE = "/api/models/gpt-oss/disk"


@pytest.fixture(autouse=True)
def disk(gateway) -> None:
    gateway.says("GET", PLACE, PLAN)
    gateway.says("DELETE", PLACE, DONE)


def test_the_plan_is_shown_and_nothing_touched(gateway, run) -> None:
    answer = run("delete", "gpt-oss", "--plan")
    assert answer.exit_code == 0
    assert answer.output.splitlines() == [
        "gpt-oss 120B  (org/gpt-oss)",
        "on       frees    stays, shared  free then",
        "Spark 1  63.4 GB  0.0 GB         700.0 GB",
        "Spark 2  1.0 GB   2.0 GB         -          last known",
        "note: Its settings stay.",
    ]
    assert gateway.calls == [("GET", PLACE)]


def test_it_asks_before_it_deletes(gateway, run) -> None:
    no = run("delete", "gpt-oss", text="n\n")
    assert no.exit_code == 1
    assert len(gateway.calls) == 1
    yes = run("delete", "gpt-oss", text="y\n")
    assert yes.exit_code == 0
    assert yes.output.endswith("Spark 1: freed 63.4 GB\n")


def test_yes_asks_nobody_and_names_the_sparks(gateway, run) -> None:
    gateway.says("DELETE", "/api/models/a%2Fb/disk", DONE)
    answer = run("delete", "a/b", "--yes", "--host", "spark2")
    assert answer.exit_code == 0
    (asked,) = gateway.asked
    assert asked.url.params.get_list("host") == ["spark2"]
    assert asked.url.params["requested_by"].endswith("(sparkctl)")


def test_files_that_stay_are_a_failure_with_the_reason(gateway, run) -> None:
    places = [{"label": "Spark 2", "freed_bytes": 0, "problem": "Spark 2 does not answer."}]
    done = {"complete": False, "freed_bytes": 0, "places": places}
    gateway.says("DELETE", PLACE, done)
    answer = run("delete", "gpt-oss", "--yes")
    assert (answer.exit_code, answer.output) == (1, "Spark 2: Spark 2 does not answer.\n")


def test_a_refused_plan_says_why(gateway, run) -> None:
    gateway.says("GET", PLACE, {**PLAN, "blockers": ["It is loaded: switch first."]})
    answer = run("delete", "gpt-oss", "--plan")
    assert answer.output.splitlines()[-1] == "refused: It is loaded: switch first."


def test_json_is_the_answer_of_the_api(gateway, run) -> None:
    answer = run("delete", "gpt-oss", "--yes", "--json")
    assert json.loads(answer.output) == DONE
