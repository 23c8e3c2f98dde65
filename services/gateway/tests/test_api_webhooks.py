"""``/api/webhooks``: one question each; secrets only go in; deliveries change nothing here."""

from datetime import UTC, datetime

import pytest
from gateway_stand.answering import Answering

from spark_common.contracts import webhooks as contract
from spark_common.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)
from spark_common.testing import MemoryBus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VIEW = contract.TargetView(
    id="bob", name="Bob", kind="webhook", url="http://a.lan/", has_secret=True
)
ROW = contract.DeliveryView(
    id="dlv_1", target="bob", event_id="e1", type="swap.complete", state="dead", created_at=NOW
)


class Hooks(Answering):
    """The part of a coordinator that answers about webhooks."""

    async def serve(self, bus):
        targets = contract.Targets(targets=[VIEW])
        verbs = (
            self.answering(contract.LIST_TARGETS, targets),
            self.answering(contract.PUT_TARGET, VIEW),
            self.answering(contract.REMOVE_TARGET, targets),
            self.answering(contract.TEST_TARGET, ROW),
            self.answering(contract.LIST_DELIVERIES, contract.Deliveries(deliveries=[ROW])),
            self.answering(contract.SEND_AGAIN, ROW),
        )
        await bus.serve("coordinator", "1.0.0", "webhooks", verbs)


@pytest.fixture
async def hooks(bench) -> Hooks:
    made = Hooks()
    await made.serve(MemoryBus("coordinator", bench.broker))
    return made


async def test_a_target_is_put_with_what_was_given_and_no_more(bench, hooks):
    form = {"url": "http://a.lan/", "secret": "s3cret", "topics": ["swap", "health"]}
    answer = await bench.http.put("/api/webhooks/bob", json=form)
    assert answer.status_code == 200
    assert answer.json()["has_secret"] is True
    assert "s3cret" not in answer.text
    (request,) = hooks.asked
    assert (request.id, request.url, request.topics) == ("bob", form["url"], form["topics"])
    assert request.secret.get_secret_value() == "s3cret"
    assert request.address is None


@pytest.mark.parametrize(
    ("method", "path", "asks"),
    [
        ("GET", "/api/webhooks", contract.ListTargets()),
        ("DELETE", "/api/webhooks/bob", contract.RemoveTarget(id="bob")),
        ("POST", "/api/webhooks/bob/test", contract.TestTarget(id="bob")),
        ("POST", "/api/webhooks/deliveries/dlv_1/again", contract.SendAgain(id="dlv_1")),
        ("GET", "/api/webhooks/deliveries", contract.ListDeliveries()),
        (
            "GET",
            "/api/webhooks/deliveries?target=bob&state=dead&limit=5&before=2026-01-01T00:00:00Z",
            contract.ListDeliveries(target="bob", state="dead", limit=5, before=NOW),
        ),
    ],
)
async def test_every_route_asks_its_question(bench, hooks, method, path, asks):
    answer = await bench.http.request(method, path)
    assert answer.status_code == 200
    assert hooks.asked == [asks]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/api/webhooks/a%20b", {"url": "http://a.lan/"}),
        ("PUT", "/api/webhooks/bob", {"kind": "pager"}),
        ("PUT", "/api/webhooks/bob", {"topics": ["everything"]}),
        ("PUT", "/api/webhooks/bob", {"topics": ["swap"] * 21}),
        ("PUT", "/api/webhooks/bob", {"url": "x" * 2001}),
        ("PUT", "/api/webhooks/bob", {"secret": ""}),
        ("PUT", "/api/webhooks/bob", {"sekret": "typo"}),
        ("GET", "/api/webhooks/deliveries?state=lost", None),
        ("GET", "/api/webhooks/deliveries?limit=501", None),
        ("GET", "/api/webhooks/deliveries?before=yesterday", None),
        ("POST", "/api/webhooks/deliveries/a%20b/again", None),
    ],
)
async def test_what_cannot_be_meant_is_refused_here(bench, hooks, method, path, body):
    answer = await bench.http.request(method, path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert hooks.asked == []


async def test_a_refused_secret_is_not_repeated(bench, hooks):
    answer = await bench.http.put("/api/webhooks/bob", json={"secret": "hush" * 600})
    assert answer.status_code == 422
    assert "hush" not in answer.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidRequestError("this target is a link-local address"), 422),
        (ConflictError("there are 50 targets already"), 409),
        (NotFoundError("there is no target"), 404),
        (UnavailableError("the record does not answer"), 503),
    ],
)
async def test_refusals_are_problems(bench, hooks, error, status):
    hooks.broken = error
    answer = await bench.http.put("/api/webhooks/bob", json={"url": "http://a.lan/"})
    assert (answer.status_code, answer.json()["detail"]) == (status, error.message)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/swap"),
        ("DELETE", "/api/swap/x1"),
        ("PUT", "/api/webhooks/bob"),
        ("POST", "/api/webhooks/bob/test"),
        ("POST", "/api//swap/"),
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        {"webhook-id": "dlv_1"},
        {"Webhook-Id": "dlv_1", "webhook-timestamp": "1", "webhook-signature": "v1,x"},
        {"x-spark-signature": "sha256=0"},
    ],
)
async def test_a_delivery_that_found_its_way_here_changes_nothing(
    bench, hooks, method, path, headers
):
    """Even through an alias or a proxy that nobody could know when the target was saved."""
    body = {"model": "gpt-oss-120b", "url": "http://a.lan/"}
    answer = await bench.http.request(method, path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (bench.swapper.asked, hooks.asked) == ([], [])


async def test_reading_with_such_headers_is_harmless(bench, hooks):
    answer = await bench.http.get("/api/webhooks", headers={"webhook-id": "dlv_1"})
    assert answer.status_code == 200
