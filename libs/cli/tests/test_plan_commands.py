"""``sparkctl test``, ``plan`` and ``quarantine``: what is asked, what is shown, the exit code."""

import json

import pytest

BAD = {"code": "not_enough_memory", "sentence": "Too little.", "action": "Stop it.", "evidence": []}
VALIDATION = {
    "ok": False,
    "verdict": "bad",
    "stage": "memory",
    "error": "Too little.",
    "cmd_args": ["org/m"],
    "launch_cmd": "./launch-cluster.sh -d exec vllm serve org/m",
    "checks": [
        {"name": "arguments", "verdict": "good", "host": None, "sentence": "Accepted."},
        {"name": "memory", "verdict": "bad", "host": "spark1", "sentence": "Too little."},
    ],
    "cause": BAD,
    "note": "",
}
PLAN = {
    "model": "m",
    "model_name": "M",
    "served_name": "m",
    "stops": "gemma",
    "in_flight": 2,
    "drain_seconds": 30,
    "eta_seconds": 80,
    "back_seconds": None,
    "nodes": [
        {
            "label": "Spark 1",
            "available_bytes": 20 * 1024**3,
            "freed_bytes": None,
            "needed_bytes": 90 * 1024**3,
            "headroom_bytes": None,
            "verdict": "unknown",
        }
    ],
    "blockers": [BAD],
    "doubts": ["Docker is slow."],
    "steps": ["Let 2 answers finish."],
}
HELD = {"reason": "Spark 1 went down.", "since": "", "host": "spark1"}


@pytest.fixture(autouse=True)
def answers(gateway) -> None:
    gateway.says("POST", "/api/swap/m/validate", VALIDATION)
    gateway.says("POST", "/api/swap/m/plan", PLAN)
    gateway.says("DELETE", "/api/models/m/quarantine", {"model": "m", "was": HELD})
    gateway.says("GET", "/api/models", {"models": [{"key": "m", "quarantine": HELD}, {"key": "n"}]})


def test_a_failed_test_says_why_what_to_do_and_exits_one(gateway, run):
    done = run("test", "m", "--flag", "--seed=3", "--deep")
    assert done.exit_code == 1, done.output
    assert gateway.body(0) == {"deep": True, "flags": ["--seed=3"]}
    assert "memory     bad     spark1  Too little." in done.output
    assert "what to do: Stop it." in done.output
    assert "launch: ./launch-cluster.sh" in done.output


def test_a_plan_shows_numbers_blockers_and_steps(gateway, run):
    done = run("plan", "m")
    assert done.exit_code == 1, done.output
    assert "stops: gemma, 2 being answered now" in done.output
    assert "takes: 1 min 20 s; back again: -" in done.output
    row = next(line for line in done.output.splitlines() if line.startswith("Spark 1"))
    assert ("20.0 GB" in row, "90.0 GB" in row, "unknown" in row) == (True, True, True)
    assert "stands in the way: Too little." in done.output
    assert "  - Let 2 answers finish." in done.output


def test_the_quarantine_is_listed_and_cleared(gateway, run):
    assert run("quarantine").output == "m: Spark 1 went down.\n"
    done = run("quarantine", "clear", "m")
    assert "m may be loaded again" in done.output
    assert gateway.calls[-1] == ("DELETE", "/api/models/m/quarantine")


def test_the_answer_of_the_api_as_it_is(run):
    assert json.loads(run("test", "m", "--json").output) == VALIDATION
    assert json.loads(run("plan", "m", "--json").output) == PLAN
    assert json.loads(run("quarantine", "--json").output) == {"m": HELD}
    assert json.loads(run("quarantine", "clear", "m", "--json").output)["was"] == HELD


@pytest.mark.parametrize("words", [("test",), ("plan",), ("quarantine", "clear")])
def test_a_name_that_needs_quoting_is_one_part_of_the_address(gateway, run, words):
    gateway.answers = {
        (method, path.replace("/m/", "/a%3Fb%20c/")): answer
        for (method, path), answer in gateway.answers.items()
    }
    assert run(*words, "a?b c").exit_code in (0, 1)
    assert "/a%3Fb%20c/" in gateway.calls[-1][1]
