"""``sparkctl lease``: what is asked, what is said, and where the token is."""

import json
import stat

import httpx
import pytest

from spark_cli import kept_token
from spark_cli.asking import said_along, who_asks
from spark_cli.gateway_client import GatewayClient, RefusedError, gateway_url
from spark_cli.spans import SPAN
from spark_cli.standing import take, wait_for

PATH = "/api/swap/lock"
TOKEN = "t0ken-that-nobody-sees"
HELD = {
    "state": "held",
    "token": TOKEN,
    "epoch": 7,
    "remaining_seconds": 3600.0,
    "extended": False,
}
WAITING = {
    "state": "waiting",
    "token": TOKEN,
    "position": 2,
    "eta_seconds": 90.0,
    "seen_within_seconds": 60.0,
    "ticket": "x",
}
VIEW = {
    "state": "held",
    "holder": "Alice",
    "reason": "tuning",
    "remaining_seconds": 720.0,
    "epoch": 7,
    "yours": None,
    "ticket": None,
    "yields": [
        {"requested_by": "Bob", "by": "2026-01-01T14:00:00Z", "note": "please", "at": "x"},
        {"requested_by": "Carol", "by": None, "note": "", "at": "x"},
    ],
    "queue": [
        {
            "ticket": "x",
            "holder": "agent",
            "priority": "batch",
            "position": 1,
            "eta_seconds": 720.0,
        }
    ],
}


def test_taking_it_keeps_the_token_and_prints_none(gateway, run) -> None:
    gateway.says("POST", PATH, HELD)
    done = run("lease", "take", "--holder", "nightly", "--reason", "tests", "--ttl", "90m")
    assert done.output == "yours, for another 1 h 0 min (epoch 7)\n"
    body = gateway.body()
    assert (body["holder"], body["reason"], body["ttl_seconds"]) == ("nightly", "tests", 5400)
    assert (body["wait"], body["priority"], body["max_wait_seconds"]) == (
        False,
        "interactive",
        3600,
    )
    assert kept_token.token_file().read_text() == TOKEN
    assert stat.S_IMODE(kept_token.token_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(kept_token.token_file().parent.stat().st_mode) == 0o700
    assert TOKEN not in run("lease", "take", "--json").output
    assert TOKEN not in str(gateway.asked[0].url)


def test_what_got_no_answer_is_asked_once_more_as_the_same_order(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    answers = [httpx.Response(503, json={"detail": "late", "code": "outcome_unknown"})]
    answers.append(httpx.Response(200, json=HELD))
    keys = []

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["idempotency-key"])
        return answers.pop(0)

    client = GatewayClient("http://sim", httpx.MockTransport(answer))
    for _ in range(2):
        assert take(client, {"holder": "Alice"}, force=False, token=None) == HELD
        answers.append(httpx.Response(200, json=HELD))
    assert keys[0] == keys[1] != keys[2]
    assert min(map(len, keys)) >= 16


def test_the_kept_token_is_said_along_with_later_changes(gateway, run, monkeypatch) -> None:
    gateway.says("POST", PATH, HELD)
    run("lease", "take")
    assert said_along() == {"x-swap-lock-token": TOKEN}
    monkeypatch.setenv("SPARK_LOCK_TOKEN", "from the environment")
    assert said_along() == {"x-swap-lock-token": "from the environment"}
    monkeypatch.delenv("SPARK_LOCK_TOKEN")
    monkeypatch.setenv("SPARK_CONTROL_URL", "http://another.example")
    assert said_along() == {}


def test_a_token_that_others_can_read_is_not_used(gateway, run) -> None:
    kept_token.keep(TOKEN)
    kept_token.token_file().chmod(0o644)
    done = run("lease", "extend")
    assert (done.exit_code, gateway.asked) == (3, [])
    assert "chmod 600" in done.output
    assert TOKEN not in done.output


def test_extending_needs_a_lease_and_sends_its_token(gateway, run) -> None:
    assert "you hold no lease" in run("lease", "extend").output
    kept_token.keep(TOKEN)
    gateway.says("POST", PATH, {**HELD, "extended": True})
    done = run("lease", "extend", "--ttl", "10m")
    assert done.output.startswith("extended, for another")
    assert gateway.asked[-1].headers["x-swap-lock-token"] == TOKEN
    assert gateway.body()["ttl_seconds"] == 600


def test_giving_it_back_forgets_the_token(gateway, run) -> None:
    kept_token.keep(TOKEN)
    gateway.says("DELETE", PATH, {"released": "lease", "holder": "Alice", "epoch": 7})
    assert run("lease", "release").output == "the lease of Alice is given back\n"
    assert gateway.asked[-1].headers["x-swap-lock-token"] == TOKEN
    assert not kept_token.token_file().exists()
    assert run("lease", "release").exit_code == 3


def test_ending_somebody_elses_by_force_keeps_ones_own_place(gateway, run) -> None:
    kept_token.keep(TOKEN)
    gateway.says("DELETE", PATH, {"released": "lease", "holder": "Alice", "epoch": 7})
    assert run("lease", "release", "--force").exit_code == 0
    query = gateway.asked[-1].url.params
    assert (query["force"], query["requested_by"]) == ("true", who_asks())
    assert kept_token.token_file().read_text() == TOKEN


def test_taking_by_force_says_so_in_the_query(gateway, run) -> None:
    gateway.says("POST", PATH, HELD)
    run("lease", "take", "--force")
    assert gateway.asked[-1].url.params["force"] == "true"


def test_asking_for_it(gateway, run) -> None:
    gateway.says("POST", f"{PATH}/yield", VIEW)
    done = run("lease", "yield", "--by", "2026-01-01T14:00:00", "--note", "please")
    assert done.output == "asked Alice to release it\n"
    assert gateway.body()["by"].startswith("2026-01-01T14:00:00")
    assert gateway.body()["by"][19] in "+-"


@pytest.mark.parametrize(
    ("facts", "first"),
    [
        ({}, "Alice holds the cluster for another 12 min 0 s (tuning)"),
        ({"yours": "lease"}, "you hold the cluster for another 12 min 0 s (tuning)"),
        ({"state": "granted"}, "given to Alice (tuning), to be taken up within 12 min 0 s"),
        ({"state": "draining", "reason": ""}, "the lease of Alice is over; what runs of its time"),
        ({"state": "free", "yields": [], "queue": []}, "nobody holds the cluster"),
    ],
)
def test_it_is_shown_with_its_line(gateway, run, facts, first) -> None:
    gateway.says("GET", PATH, {**VIEW, **facts})
    lines = run("lease").output.splitlines()
    assert lines[0].startswith(first)
    if facts.get("state") != "free":
        assert lines[1:] == [
            "  Bob asks to have it by 2026-01-01 14:00 UTC: please",
            "  Carol asks to have it",
            "  1. agent, batch, at the latest in 12 min 0 s",
        ]
    assert json.loads(run("lease", "show", "--json").output)["epoch"] == 7


def test_ones_own_place_is_marked(gateway, run) -> None:
    gateway.says("GET", PATH, {**VIEW, "yours": "place", "ticket": "x"})
    assert "  1. agent (you), batch" in run("lease", "show").output


def test_waiting_asks_again_with_the_token_until_it_is_held(gateway) -> None:
    pauses = []
    gateway.says("POST", PATH, WAITING, 202)

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            gateway.says("POST", PATH, {"detail": "Redis is away", "code": "unavailable"}, 503)
        if len(pauses) == 3:
            gateway.says("POST", PATH, HELD)

    client, order = GatewayClient(gateway_url()), {"holder": "agent", "wait": True}
    first = take(client, order, force=False, token=None)
    assert wait_for(client, order, first, pause)["state"] == "held"
    assert pauses == [1, 2, 2, 4]
    assert "x-swap-lock-token" not in gateway.asked[0].headers
    assert all(one.headers["x-swap-lock-token"] == TOKEN for one in gateway.asked[1:])


def test_an_interrupted_wait_gives_the_place_back(gateway) -> None:
    gateway.says("POST", PATH, WAITING, 202)
    gateway.says("DELETE", PATH, {"released": "place", "holder": "agent", "epoch": 7})

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    client, order = GatewayClient(gateway_url()), {"holder": "agent", "wait": True}
    with pytest.raises(KeyboardInterrupt):
        wait_for(client, order, take(client, order, force=False, token=None), stop)
    assert gateway.calls[-1] == ("DELETE", PATH)
    assert gateway.asked[-1].headers["x-swap-lock-token"] == TOKEN
    assert not kept_token.token_file().exists()


@pytest.mark.parametrize(
    ("said", "seconds"), [("45", 45), ("45s", 45), ("1.5h", 5400), ("30m", 1800)]
)
def test_spans(said, seconds) -> None:
    assert SPAN.convert(said, None, None) == seconds


@pytest.mark.parametrize("said", ["", "1d", "-5m", "h", "1 m", "1m30s"])
def test_what_is_no_span_is_refused(gateway, run, said) -> None:
    assert run("lease", "take", "--ttl", said).exit_code == 2
    assert gateway.asked == []


def test_a_file_that_cannot_be_written_is_one_line(gateway, run, tmp_path, monkeypatch) -> None:
    (tmp_path / "in the way").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "in the way"))
    gateway.says("POST", PATH, HELD)
    with pytest.raises(RefusedError, match="cannot be kept"):
        kept_token.keep(TOKEN)
    assert TOKEN not in run("lease", "take").output
