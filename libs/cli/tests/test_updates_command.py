"""``sparkctl updates`` against a scripted gateway."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from spark_cli.commands.updates import render

VIEW = {
    "checkouts": [
        {
            "host": "spark1",
            "label": "Spark 1",
            "branch": "main",
            "commit": "ab" * 20,
            "behind": 2,
            "fetched_at": None,
            "stale": False,
            "problem": None,
            "commits": [
                {"at": "2026-11-20T16:30:00Z", "subject": "Bump vLLM"},
                {"at": None, "subject": "Older"},
            ],
        },
        {
            "host": "spark2",
            "label": "Spark 2",
            "branch": None,
            "commit": None,
            "behind": None,
            "fetched_at": None,
            "stale": True,
            "problem": "Spark 2 does not answer.",
            "commits": [],
        },
    ],
    "images": [
        {"host": "spark1", "tag": "vllm-node", "id": "sha256:" + "c" * 64, "vllm_version": "0.30"},
        {"host": "spark2", "tag": "vllm-node", "id": None, "vllm_version": None},
    ],
    "kept": [{"kept_at": "2026-11-01"}],
    "can_revert": True,
    "blockers": ["Spark 2 does not answer."],
    "job": {"id": "one", "state": "complete", "message": "Updated."},
}
JOB = {"id": "one", "state": "running", "message": "Checking."}
EVENTS = {
    "update.progress": {
        "step": "pulling",
        "previous_step": "checking",
        "message": "Getting 2 commits.",
        "lines": ["Pull complete"],
    },
    "update.failed": {
        "outcome": "failed",
        "total_seconds": 65,
        "message": "The disk is full.",
        "cause": {"evidence": ["no space left"], "action": "Delete models."},
    },
}
WORDS = [
    ("reasoning", {"text": "hm"}),
    ("text", {"text": "It "}),
    ("text", {"text": "matters."}),
]


@pytest.fixture(autouse=True)
def cluster(gateway) -> None:
    gateway.says("GET", "/api/updates", VIEW)
    for what in ("apply", "revert"):
        gateway.says("POST", f"/api/updates/{what}", JOB, 202)
    gateway.says("DELETE", "/api/updates/jobs/one", JOB, 202)
    gateway.streams("GET", "/api/updates/jobs/one/stream", *EVENTS.items())


def test_what_is_pending_is_shown(gateway, run) -> None:
    result = run("updates", "--refresh")
    assert result.output.splitlines() == [
        "Spark 1: main at ababababa, 2 behind, remote not asked yet: add --refresh",
        "  2026-11-20 Bump vLLM",
        "   Older",
        "  image vllm-node: cccccccccccc, vLLM 0.30",
        "Spark 2: no branch at no commit, not compared, as last seen",
        "  Spark 2 does not answer.",
        "  image vllm-node: not there",
        "not now: Spark 2 does not answer.",
        "sparkctl updates revert goes back to what was kept on 2026-11-01",
        "last job: one complete: Updated.",
    ]
    assert str(gateway.asked[0].url.query, "ascii") in ("refresh=true", "refresh=True")
    assert json.loads(run("updates", "--json").output) == VIEW


@pytest.mark.parametrize(
    ("behind", "seconds", "expected"),
    [
        (0, None, "remote not asked yet: add --refresh"),
        (0, 200, "up to date, asked the remote 3 min ago"),
        (0, -30, "up to date, asked the remote just now"),
        (4, 7300, "4 behind, asked the remote 2 h ago"),
        (4, 4 * 86400, "4 behind, asked the remote 4 days ago"),
        (None, 200, "not compared"),
    ],
)
def test_nothing_is_up_to_date_with_a_remote_that_nobody_asked(behind, seconds, expected) -> None:
    now = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
    at = None if seconds is None else (now - timedelta(seconds=seconds)).isoformat()
    checkout = {**VIEW["checkouts"][0], "behind": behind, "fetched_at": at}
    line = render({**VIEW, "checkouts": [checkout]}, now).splitlines()[0]
    assert line == f"Spark 1: main at ababababa, {expected}"


def test_an_update_is_followed_to_its_end(gateway, run, monkeypatch) -> None:
    monkeypatch.setenv("SPARK_LOCK_TOKEN", "secret")
    result = run("updates", "apply", "--follow", "--host", "spark1", "--key", "one")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "update one is running",
        "     pulling  Getting 2 commits.",
        "              | Pull complete",
        "failed after 1 min 5 s: The disk is full.",
        "  > no space left",
        "what to do: Delete models.",
    ]
    asked = gateway.asked[0]
    assert gateway.body(0)["hosts"] == ["spark1"]
    assert asked.headers["x-swap-lock-token"] == "secret"
    assert asked.headers["idempotency-key"] == "one"
    assert run("updates", "revert").exit_code == 0
    assert run("updates", "cancel", "one").output == "update one is being stopped\n"
    assert [request.method for request in gateway.asked][-2:] == ["POST", "DELETE"]


def test_an_explanation_is_printed_without_the_thinking(gateway, run) -> None:
    place = ("POST", "/api/explain-updates")
    gateway.streams(*place, *WORDS, ("done", {"model": "m", "cut": False}))
    assert run("updates", "explain").output == "It matters.\n"
    assert run("updates", "explain", "--thinking").output == "hmIt matters.\n"
    lines = run("updates", "explain", "--json", "--host", "spark2").output.splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["reasoning", "text", "text", "done"]
    assert gateway.body() == {"host": "spark2"}


@pytest.mark.parametrize(
    ("last", "says"),
    [
        ([("error", {"message": "the model stopped."})], "It matters.\nError: the model stopped."),
        ([], "It matters.Error: the explanation broke off"),
    ],
)
def test_an_explanation_that_breaks_off_is_no_success(gateway, run, last, says) -> None:
    gateway.streams("POST", "/api/explain-updates", *WORDS, *last)
    broken = run("updates", "explain")
    assert (broken.exit_code, broken.output.strip()) == (3, says)


def test_an_explanation_that_is_cut_says_so(gateway, run) -> None:
    gateway.streams("POST", "/api/explain-updates", *WORDS, ("done", {"model": "m", "cut": True}))
    assert run("updates", "explain").output == "It matters.\n(cut off at its greatest length)\n"
