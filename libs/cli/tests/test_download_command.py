"""``sparkctl download`` against scripted answers: plans, following, refusals, cancelling."""

import pytest

from spark_cli import gateway_client

REPO = "org/model"
PLAN = {
    "repo": REPO,
    "total_bytes": 31_200_000_000,
    "size_source": "hub",
    "missing_bytes": 12_000_000_000,
    "usual_bytes_per_second": 100e6,
    "eta_seconds": 120,
    "running": None,
    "blockers": [],
    "places": [
        {
            "label": "Spark 1",
            "state": "partial",
            "done_bytes": 19_200_000_000,
            "free_bytes": 600_000_000_000,
            "free_after_bytes": 588_000_000_000,
        }
    ],
}
VIEW = {"id": "d1", "state": "running", "repo": REPO}


def test_a_plan_shows_bytes_space_and_time(gateway, run) -> None:
    gateway.says("POST", "/api/downloads/plan", PLAN)
    said = run("download", REPO, "--plan", "--both")
    assert said.exit_code == 0
    assert gateway.body(0)["hosts"] == ["spark1", "spark2"]
    head, _, row = said.output.splitlines()
    assert head == "org/model  31.2 GB (hub), 12.0 GB to fetch, usually 2 min 0 s"
    assert row.split() == ["Spark", "1", "partial", "19.2", "GB", "600.0", "GB", "588.0", "GB"]


def test_a_plan_with_blockers_ends_with_1(gateway, run) -> None:
    refused = {**PLAN, "blockers": ["org/model is gated."], "running": "d7"}
    gateway.says("POST", "/api/downloads/plan", refused)
    said = run("download", REPO, "--plan")
    assert said.exit_code == 1
    assert said.output.splitlines()[-2:] == [
        "runs already: download d7",
        "would be refused: org/model is gated.",
    ]


def test_following_to_the_good_end(gateway, run) -> None:
    gateway.says("POST", "/api/downloads", VIEW, 202)
    first = {"step": "fetching", "previous_step": "checking", "message": "Go."}
    then = {"step": "fetching", "percent": 41.5, "eta_seconds": 80, "message": "12 GB."}
    ended = {"outcome": "complete", "message": "Whole on Spark 1.", "total_seconds": 61}
    gateway.streams(
        "GET",
        "/api/downloads/d1/stream",
        ("download.progress", first),
        ("download.progress", {**then, "lines": ["hello"]}),
        ("download.complete", ended),
    )
    said = run("download", REPO, "--on", "spark2", "--follow", "--key", "k1")
    assert said.exit_code == 0
    assert gateway.asked[0].headers["idempotency-key"] == "k1"
    assert gateway.body(0)["hosts"] == ["spark2"]
    assert said.output.splitlines() == [
        "download d1 of org/model is accepted",
        "    fetching  Go.",
        "       41.5%  12 GB. About 1 min 20 s left.",
        "              | hello",
        "complete after 1 min 1 s: Whole on Spark 1.",
    ]


def test_a_failure_says_why_and_what_to_do(gateway, run) -> None:
    gateway.says("POST", "/api/downloads", VIEW, 202)
    cause = {"code": "gated", "sentence": "It is gated.", "action": "Log in.", "evidence": ["401"]}
    ended = {"outcome": "failed", "cause": cause, "total_seconds": 2}
    gateway.streams("GET", "/api/downloads/d1/stream", ("download.failed", ended))
    said = run("download", REPO, "--follow")
    assert said.exit_code == 1
    assert said.output.splitlines()[1:] == [
        "failed after 2 s: It is gated.",
        "  > 401",
        "what to do: Log in.",
    ]


def test_a_refusal_is_one_line(gateway, run) -> None:
    problem = {"detail": "org/model is being downloaded already", "code": "job_in_progress"}
    gateway.says("POST", "/api/downloads", problem, 409)
    said = run("download", REPO)
    assert said.exit_code == gateway_client.REFUSED
    assert said.output == "Error: org/model is being downloaded already (job_in_progress)\n"


def test_listing(gateway, run) -> None:
    running = {
        **VIEW,
        "places": [{"host": "spark1"}, {"host": "spark2"}],
        "step": "copying",
        "done_bytes": 40_000_000_000,
        "total_bytes": 62_400_000_000,
        "bytes_per_second": 1.1e9,
        "eta_seconds": 21,
        "message": "Copying to Spark 2.",
    }
    ended = {**running, "id": "d0", "state": "failed", "bytes_per_second": None}
    listed = {"running": [running], "recent": [ended]}
    gateway.says("GET", "/api/downloads", listed)
    head, first, second = run("downloads").output.splitlines()
    assert head.split()[:3] == ["id", "repository", "on"]
    assert "copying  40.0 GB of 62.4 GB  1100 MB/s  21 s  Copying to Spark 2." in first
    assert second.split()[4:5] == ["failed"]
    gateway.says("GET", "/api/downloads", {"running": [], "recent": []})
    assert run("downloads").output == "nothing was downloaded yet\n"


@pytest.mark.parametrize(
    ("state", "words"), [("running", "is being stopped"), ("complete", "is over: complete")]
)
def test_cancelling(gateway, run, state: str, words: str) -> None:
    gateway.says("DELETE", "/api/downloads/d1", {**VIEW, "state": state}, 202)
    said = run("cancel-download", "d1")
    assert said.output == f"download d1 {words}\n"
    assert gateway.asked[0].url.params["requested_by"].endswith("(sparkctl)")
