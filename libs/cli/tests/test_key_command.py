"""``sparkctl key`` against scripted answers; a new key is all that stands on stdout."""

import pytest

from spark_cli import gateway_client

KEY = {
    "id": "k1",
    "name": "Alice",
    "scopes": ["infer", "admin"],
    "requests_per_minute": 60,
    "tokens_per_minute": 0,
    "concurrency": 2,
    "weight": 3,
    "models": [],
    "expires_at": None,
    "enabled": True,
    "created_at": "2026-01-01T00:00:00Z",
    "created_by": "Bob",
    "last_used_on": "2026-01-02",
}


def test_listing(gateway, run) -> None:
    gateway.says("GET", "/api/keys", {"keys": [KEY, KEY | {"enabled": False, "models": ["m"]}]})
    head, first, second = run("key", "list").output.splitlines()
    assert head.split()[:3] == ["id", "name", "opens"]
    assert "60 requests/min, 2 at once, weight 3" in first
    assert first.split()[-3:] == ["never", "2026-01-02", "Bob"]
    assert "nothing: off" in second
    gateway.says("GET", "/api/keys", {"keys": []})
    assert "sparkctl key add" in run("key", "list").output


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ([], {"scopes": ["infer"]}),
        (["--scope", "admin", "--scope", "infer"], {"scopes": ["admin", "infer"]}),
        (
            ["--requests", "60", "--tokens", "9", "--at-once", "2", "--weight", "3"],
            {"requests_per_minute": 60, "tokens_per_minute": 9, "concurrency": 2, "weight": 3},
        ),
        (["--model", "a", "--model", "org/b"], {"models": ["a", "org/b"]}),
        (["--expires", "2027-01-31"], {"expires_at": "2027-01-31T00:00:00Z"}),
    ],
)
def test_making_one(gateway, run, words, given) -> None:
    gateway.says("POST", "/api/keys", KEY | {"key": "sk-spark-x"})
    made = run("key", "add", "Alice", *words)
    assert made.stdout == "sk-spark-x\n"
    assert "not shown again" in made.stderr
    body = gateway.body()
    assert given.items() <= body.items()
    assert body["name"] == "Alice"


def test_revoking_and_switching(gateway, run) -> None:
    gateway.says("DELETE", "/api/keys/k1", {"keys": []})
    assert "revoked" in run("key", "rm", "k1").output
    gateway.says("PATCH", "/api/keys/k1", KEY)
    assert "is off" in run("key", "off", "k1").output
    assert gateway.body()["enabled"] is False
    assert "is on" in run("key", "on", "k1").output


def test_the_key_of_the_shell_is_shown_in_a_field(gateway, run, monkeypatch) -> None:
    gateway.says("GET", "/api/keys", {"keys": []})
    run("key", "list")
    monkeypatch.setenv(gateway_client.KEY_VARIABLE, " sk-spark-y ")
    run("key", "list")
    without, with_key = gateway.asked
    assert "authorization" not in without.headers
    assert with_key.headers["authorization"] == "Bearer sk-spark-y"
    monkeypatch.setenv(gateway_client.KEY_VARIABLE, "é")
    assert run("key", "list").exit_code == gateway_client.REFUSED
