"""``sparkctl updates`` against a scripted gateway."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from click.testing import CliRunner

from spark_cli import gateway_client
from spark_cli.__main__ import main
from spark_cli.commands.updates import shown

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


def stream(events) -> str:
    return "".join(f"event: {name}\ndata: {json.dumps(body)}\n\n" for name, body in events)


class Gateway:
    """Answers what the test put down."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.words = [*WORDS, ("done", {"model": "m"})]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        path = request.url.path
        if path.endswith("/stream"):
            return httpx.Response(200, text=stream(EVENTS.items()))
        if path == "/api/explain-updates":
            return httpx.Response(200, text=stream(self.words))
        if path == "/api/updates":
            return httpx.Response(200, json=VIEW)
        return httpx.Response(202, json=JOB)


@pytest.fixture
def gateway(monkeypatch) -> Gateway:
    made = Gateway()
    real = httpx.Client
    monkeypatch.setattr(
        gateway_client.httpx,
        "Client",
        lambda **options: real(**{**options, "transport": httpx.MockTransport(made)}),
    )
    return made


def run(*words: str):
    return CliRunner().invoke(main, ["updates", *words])


def test_what_is_pending_is_shown(gateway) -> None:
    result = run("--refresh")
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
    assert json.loads(run("--json").output) == VIEW


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
    (line, *_) = shown({**VIEW, "checkouts": [checkout]}, now)
    assert line == f"Spark 1: main at ababababa, {expected}"


def test_an_update_is_followed_to_its_end(gateway, monkeypatch) -> None:
    monkeypatch.setenv("SPARK_LOCK_TOKEN", "secret")
    result = run("apply", "--follow", "--host", "spark1", "--key", "one")
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
    assert json.loads(asked.content)["hosts"] == ["spark1"]
    assert asked.headers["x-swap-lock-token"] == "secret"
    assert asked.headers["idempotency-key"] == "one"
    assert run("revert").exit_code == 0
    assert run("cancel", "one").output == "update one is running: Checking.\n"
    assert [request.method for request in gateway.asked][-2:] == ["POST", "DELETE"]


def test_an_explanation_is_printed_without_the_thinking(gateway) -> None:
    assert run("explain").output == "It matters.\n"
    assert run("explain", "--thinking").output == "hmIt matters.\n"
    gateway.words = [*WORDS, ("error", {"message": "the model stopped."})]
    broken = run("explain")
    assert (broken.exit_code, "the model stopped." in broken.output) == (3, True)
