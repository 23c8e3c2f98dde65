"""``sparkctl swap``, ``cancel`` and ``logs``: what is asked, said and returned."""

import json

import httpx
import pytest

from spark_cli import job_stream
from spark_cli.asking import who_asks

VIEW = {"id": "s1", "model": "m", "phase": "queued", "usual_seconds": 80, "message": ""}
CAUSE = {"code": "oom", "sentence": "Too little memory.", "action": "Stop it.", "evidence": ["x"]}
LOADING = {"phase": "loading", "message": "Loading."}
PROGRESS = [
    ("swap.progress", {**LOADING, "previous_phase": "launching"}),
    ("swap.progress", {**LOADING, "percent": 40, "eta_seconds": 30, "lines": []}),
    ("swap.progress", {**LOADING, "percent": 40, "eta_seconds": 29, "lines": ["a line"]}),
    ("swap.progress", {**LOADING, "percent": 40, "message": ""}),
]


@pytest.fixture(autouse=True)
def swaps(gateway) -> None:
    gateway.says("POST", "/api/swap", VIEW, 202)


def test_everything_a_swap_may_be_told_is_told(gateway, run, monkeypatch) -> None:
    monkeypatch.setenv("SPARK_LOCK_TOKEN", "secret")
    done = run("swap", "a/b", "--queue", "--rollback", "--force", "--drop-caches", "--key", "k")
    assert done.output == "swap s1 to m is queued, usually 1 min 20 s\n"
    body = gateway.body()
    assert body.pop("requested_by") == who_asks()
    assert body == {
        "model": "a/b",
        "when_busy": "queue",
        "rollback": True,
        "force": True,
        "drop_caches": True,
        "dry_run": False,
    }
    headers = gateway.asked[0].headers
    assert (headers["x-swap-lock-token"], headers["idempotency-key"]) == ("secret", "k")


def test_swapping_through_a_lease_is_said_in_the_query(gateway, run) -> None:
    assert run("swap", "m", "--override-lease").exit_code == 0
    assert gateway.asked[-1].url.params["force"] == "true"
    assert gateway.body()["force"] is False


@pytest.mark.parametrize(
    ("last", "code", "says"),
    [
        (("swap.complete", {"total_seconds": 61}), 0, ["ready after 1 min 1 s"]),
        (
            ("swap.complete", {"total_seconds": 61, "degraded": "It babbles."}),
            0,
            ["ready after 1 min 1 s", "but degraded: It babbles."],
        ),
        (
            ("swap.failed", {"total_seconds": 9, "outcome": "rolled_back", "cause": CAUSE}),
            1,
            ["rolled back after 9 s: Too little memory.", "  > x", "what to do: Stop it."],
        ),
    ],
)
def test_a_swap_is_followed_to_its_end(gateway, run, last, code, says) -> None:
    gateway.streams("GET", "/api/swap/s1/stream", *PROGRESS, last)
    done = run("swap", "m", "--follow")
    assert done.exit_code == code
    assert done.output.splitlines()[1:] == [
        "     loading  Loading.",
        "       40.0%  Loading. About 30 s left.",
        "              | a line",
        "       40.0%",
        *says,
    ]
    lines = run("swap", "m", "--follow", "--json").output.splitlines()
    assert [json.loads(line).get("event") for line in lines] == [
        None,
        *(name for name, _ in PROGRESS),
        last[0],
    ]


@pytest.mark.parametrize(("phase", "code"), [("ready", 0), ("rolled_back", 1)])
def test_a_swap_whose_events_are_gone_ends_as_its_record_says(gateway, run, phase, code) -> None:
    gateway.answers["GET", "/api/swap/s1/stream"] = httpx.Response(204)
    gateway.says("GET", "/api/swap/s1", {**VIEW, "phase": phase, "message": "It ended."})
    done = run("swap", "m", "--follow")
    assert done.exit_code == code
    assert done.output.splitlines()[1:] == [f"{phase.replace('_', ' ')}: It ended."]


def test_a_dry_run_that_would_end_badly_says_why_and_is_exit_1(gateway, run) -> None:
    good = {**VIEW, "plan": ["stop gemma"], "cause": None}
    gateway.says("POST", "/api/swap", good)
    done = run("swap", "m", "--dry-run", "--follow")
    assert (done.exit_code, done.output.splitlines()[1]) == (0, "  - stop gemma")
    gateway.says("POST", "/api/swap", {**good, "cause": CAUSE})
    done = run("swap", "m", "--dry-run")
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "nothing was touched; a real swap would end badly: Too little memory.",
        "  > x",
        "what to do: Stop it.",
        "otherwise it would:",
        "  - stop gemma",
    ]


@pytest.mark.parametrize(
    ("phase", "says"),
    [("loading", "is being stopped"), ("rolled_back", "is over: rolled back")],
)
def test_a_swap_is_cancelled(gateway, run, phase, says) -> None:
    gateway.says("DELETE", "/api/swap/s1", {**VIEW, "phase": phase}, 202)
    assert run("cancel", "s1").output == f"swap s1 {says}\n"
    assert gateway.asked[0].url.params["requested_by"] == who_asks()
    assert json.loads(run("cancel", "s1", "--json").output)["phase"] == phase


@pytest.mark.parametrize("kind", sorted(job_stream.PLACES))
def test_logs_are_printed_whole(gateway, run, kind) -> None:
    place = f"{job_stream.PLACES[kind]}/s1/log"
    gateway.says("GET", place, {"lines": ["one", "two"], "total": 2, "first": 1})
    assert run("logs", "s1", "--of", kind).output == "one\ntwo\n"
    gateway.says("GET", place, {"lines": [], "total": 0, "first": 1})
    nothing = run("logs", "s1", "--of", kind)
    assert nothing.output == "nothing was written: it never began\n"
    assert json.loads(run("logs", "s1", "--of", kind, "--json").output)["lines"] == []


def test_every_page_of_a_long_log_is_asked_for(gateway, run) -> None:
    kept = [f"line {number}" for number in range(5)]

    def page(request: httpx.Request) -> httpx.Response:
        after = int(request.url.params["after"])
        lines = kept[after : after + 2]
        return httpx.Response(200, json={"lines": lines, "first": after + 1, "total": len(kept)})

    gateway.answer = page
    assert run("logs", "s1").output.splitlines() == kept
    whole = json.loads(run("logs", "s1", "--json").output)
    assert (whole["lines"], whole["first"]) == (kept, 1)
