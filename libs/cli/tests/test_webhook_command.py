"""``sparkctl webhook`` against scripted answers; what is secret never stands on a command line."""

import json

import httpx
import pytest
from click.testing import CliRunner

from spark_cli import gateway_client
from spark_cli.__main__ import main

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


@pytest.fixture
def gateway(monkeypatch):
    """Answers by method and path; what was asked is kept."""
    answers: dict[tuple[str, str], httpx.Response] = {}
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answers[request.method, request.url.path]

    plain = httpx.Client
    monkeypatch.setattr(
        gateway_client.httpx,
        "Client",
        lambda **given: plain(**{**given, "transport": httpx.MockTransport(answer)}),
    )
    return answers, asked


def run(*words: str, **given):
    return CliRunner().invoke(main, ["webhook", *words], **given)


def test_listing(gateway) -> None:
    answers, _ = gateway
    answers["GET", "/api/webhooks"] = httpx.Response(200, json={"targets": [TARGET]})
    head, row = run("list").output.splitlines()
    assert head.split()[:3] == ["id", "kind", "where"]
    assert "http://a.lan/hook  swap, health  on" in row
    assert row.endswith("3     1         the receiver answered 500")
    answers["GET", "/api/webhooks"] = httpx.Response(200, json={"targets": []})
    assert "nobody is told" in run("list").output


@pytest.mark.parametrize(
    ("words", "given", "body"),
    [
        (
            ["--url", "http://a.lan/hook"],
            {},
            {"kind": "webhook", "enabled": True, "topics": ["swap"], "url": "http://a.lan/hook"},
        ),
        (
            ["--topic", "health", "--topic", "lock", "--secret-stdin", "--off"],
            {"input": "s3cret\n"},
            {
                "kind": "webhook",
                "enabled": False,
                "topics": ["health", "lock"],
                "secret": "s3cret",
            },
        ),
        (
            ["--clear-secret", "--name", "Bob"],
            {"env": {"SPARK_WEBHOOK_ADDRESS": "of another kind"}},
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
            {"env": {"SPARK_WEBHOOK_ADDRESS": "ntfys://a.lan/topic", "SPARK_WEBHOOK_SECRET": "x"}},
            {
                "kind": "ntfy",
                "enabled": True,
                "topics": ["swap"],
                "address": "ntfys://a.lan/topic",
            },
        ),
    ],
)
def test_adding(gateway, words, given, body) -> None:
    answers, asked = gateway
    answers["PUT", "/api/webhooks/bob"] = httpx.Response(200, json=TARGET)
    said = run("add", "bob", *words, **given)
    assert said.exit_code == 0
    assert json.loads(asked[0].content) == body
    assert said.output == "http://a.lan/hook is told of swap, health\n"


def test_no_option_takes_a_secret() -> None:
    for option in ("--secret", "--address", "--password", "--token"):
        assert run("add", "bob", option, "x").exit_code == 2


def test_testing(gateway) -> None:
    answers, _ = gateway
    answers["POST", "/api/webhooks/bob/test"] = httpx.Response(200, json=ROW)
    said = run("test", "bob")
    assert (said.exit_code, said.output) == (0, "the test was taken after 12 ms\n")
    refused = {**ROW, "state": "dead", "error": "the receiver answered 500"}
    answers["POST", "/api/webhooks/bob/test"] = httpx.Response(200, json=refused)
    said = run("test", "bob")
    assert (said.exit_code, said.output) == (
        1, "the test was not taken: the receiver answered 500\n",
    )  # fmt: skip


def test_the_log_and_another_chance(gateway) -> None:
    answers, asked = gateway
    answers["GET", "/api/webhooks/deliveries"] = httpx.Response(200, json={"deliveries": [ROW]})
    said = run("deliveries", "--target", "bob", "--state", "dead", "--limit", "5")
    assert said.output.splitlines()[1].split()[:6] == [
        "2026-01-01T00:00:00Z", "bob", "swap.complete", "delivered", "2", "204",
    ]  # fmt: skip
    assert dict(asked[0].url.params) == {"limit": "5", "target": "bob", "state": "dead"}
    answers["POST", "/api/webhooks/deliveries/dlv_1/again"] = httpx.Response(200, json=ROW)
    assert run("again", "dlv_1").output == "swap.complete is owed to bob again\n"


def test_removing_and_refusals(gateway) -> None:
    answers, _ = gateway
    answers["DELETE", "/api/webhooks/bob"] = httpx.Response(200, json={"targets": []})
    assert run("rm", "bob").output == "target bob is removed\n"
    problem = {"detail": "there is no target 'bob'", "code": "not_found"}
    answers["DELETE", "/api/webhooks/bob"] = httpx.Response(404, json=problem)
    said = run("rm", "bob")
    assert said.exit_code == gateway_client.REFUSED
    assert said.output == "Error: there is no target 'bob' (not_found)\n"
