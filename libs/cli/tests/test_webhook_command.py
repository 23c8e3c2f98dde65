"""``sparkctl webhook`` against scripted answers; what is secret never stands on a command line."""

import pytest

from spark_cli import gateway_client

TARGET = {
    "id": "bob",
    "name": "bob",
    "kind": "webhook",
    "url": "http://a.lan/hook",
    "address": None,
    "has_secret": True,
    "topics": ["swap", "health"],
    "enabled": True,
    "disabled_because": None,
    "pending": 3,
    "dead": 1,
    "dropped": 0,
    "last_status": 500,
    "last_error": "the receiver answered 500",
}
ROW = {
    "id": "dlv_1",
    "target": "bob",
    "type": "swap.complete",
    "state": "delivered",
    "tries": 2,
    "status": 204,
    "latency_ms": 12.4,
    "error": None,
    "created_at": "2026-01-01T00:00:00Z",
}


def test_listing(gateway, run) -> None:
    gateway.says("GET", "/api/webhooks", {"targets": [TARGET]})
    head, row = run("webhook", "list").output.splitlines()
    assert head.split()[:3] == ["id", "kind", "where"]
    assert "http://a.lan/hook  swap, health  on" in row
    assert row.endswith("3     1         the receiver answered 500")
    gateway.says("GET", "/api/webhooks", {"targets": []})
    assert "nobody is told" in run("webhook", "list").output


@pytest.mark.parametrize(
    ("words", "text", "env", "body"),
    [
        (
            ["--url", "http://a.lan/hook"],
            None,
            {},
            {"kind": "webhook", "enabled": True, "topics": ["swap"], "url": "http://a.lan/hook"},
        ),
        (
            ["--topic", "health", "--topic", "lock", "--secret-stdin", "--off"],
            "s3cret\n",
            {},
            {
                "kind": "webhook",
                "enabled": False,
                "topics": ["health", "lock"],
                "secret": "s3cret",
            },
        ),
        (
            ["--clear-secret", "--name", "Bob"],
            None,
            {"SPARK_WEBHOOK_ADDRESS": "of another kind"},
            {
                "kind": "webhook",
                "enabled": True,
                "topics": ["swap"],
                "name": "Bob",
                "clear_secret": True,
            },
        ),
        (
            ["--kind", "ntfy"],
            None,
            {"SPARK_WEBHOOK_ADDRESS": "ntfys://a.lan/topic", "SPARK_WEBHOOK_SECRET": "x"},
            {
                "kind": "ntfy",
                "enabled": True,
                "topics": ["swap"],
                "address": "ntfys://a.lan/topic",
            },
        ),
    ],
)
def test_adding(gateway, run, monkeypatch, words, text, env, body) -> None:
    gateway.says("PUT", "/api/webhooks/bob", TARGET)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    said = run("webhook", "add", "bob", *words, text=text)
    assert said.exit_code == 0
    assert gateway.body(0) == body
    assert said.output == "http://a.lan/hook is told of swap, health\n"


def test_no_option_takes_a_secret(run) -> None:
    for option in ("--secret", "--address", "--password", "--token"):
        assert run("webhook", "add", "bob", option, "x").exit_code == 2


def test_testing(gateway, run) -> None:
    gateway.says("POST", "/api/webhooks/bob/test", ROW)
    said = run("webhook", "test", "bob")
    assert (said.exit_code, said.output) == (0, "the test was taken after 12 ms\n")
    refused = {**ROW, "state": "dead", "error": "the receiver answered 500"}
    gateway.says("POST", "/api/webhooks/bob/test", refused)
    said = run("webhook", "test", "bob")
    assert (said.exit_code, said.output) == (
        1, "the test was not taken: the receiver answered 500\n",
    )  # fmt: skip


def test_the_log_and_another_chance(gateway, run) -> None:
    gateway.says("GET", "/api/webhooks/deliveries", {"deliveries": [ROW]})
    said = run("webhook", "deliveries", "--target", "bob", "--state", "dead", "--limit", "5")
    assert said.output.splitlines()[1].split()[:6] == [
        "2026-01-01T00:00:00Z", "bob", "swap.complete", "delivered", "2", "204",
    ]  # fmt: skip
    assert dict(gateway.asked[0].url.params) == {"limit": "5", "target": "bob", "state": "dead"}
    gateway.says("POST", "/api/webhooks/deliveries/dlv_1/again", ROW)
    assert run("webhook", "again", "dlv_1").output == "swap.complete is owed to bob again\n"


def test_an_id_is_one_part_of_an_address_whatever_is_in_it(gateway, run) -> None:
    """Nothing else is deleted because of a slash."""
    gateway.says("DELETE", "/api/webhooks/..%2Fswap%2Flock", {"targets": []})
    assert run("webhook", "rm", "../swap/lock").exit_code == 0
    gateway.says("POST", "/api/webhooks/deliveries/a%2Fb/again", ROW)
    assert run("webhook", "again", "a/b").exit_code == 0


def test_removing_and_refusals(gateway, run) -> None:
    gateway.says("DELETE", "/api/webhooks/bob", {"targets": []})
    assert run("webhook", "rm", "bob").output == "target bob is removed\n"
    problem = {"detail": "there is no target 'bob'", "code": "not_found"}
    gateway.says("DELETE", "/api/webhooks/bob", problem, 404)
    said = run("webhook", "rm", "bob")
    assert said.exit_code == gateway_client.REFUSED
    assert said.output == "Error: there is no target 'bob' (not_found)\n"
