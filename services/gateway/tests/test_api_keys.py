"""``/api/keys``: one question each; the text of a key comes back once, what is left out stays."""

from datetime import UTC, datetime

import pytest
from gateway_stand.answering import Answering

from spark_common.contracts import api_keys as contract
from spark_common.errors import ConflictError, NotFoundError
from spark_common.key_text import fresh_key
from spark_common.testing import MemoryBus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = fresh_key()
VIEW = contract.KeyView(id="k1", name="Alice", scopes=["infer"], created_at=NOW, created_by="Bob")


class Registry(Answering):
    """The part of a coordinator that answers about keys."""

    async def serve(self, bus):
        keys = contract.Keys(keys=[VIEW])
        made = contract.NewKey(**VIEW.model_dump(), key=KEY)
        verbs = (
            self.answering(contract.LIST_KEYS, keys),
            self.answering(contract.CREATE_KEY, made),
            self.answering(contract.CHANGE_KEY, VIEW),
            self.answering(contract.REMOVE_KEY, keys),
        )
        await bus.serve("coordinator", "1.0.0", "keys", verbs)


@pytest.fixture
async def registry(bench) -> Registry:
    made = Registry()
    await made.serve(MemoryBus("coordinator", bench.broker))
    return made


async def test_a_key_is_shown_where_it_is_made_and_nowhere_else(bench, registry):
    form = {"name": "Alice", "scopes": ["infer"], "models": ["org/m"], "requested_by": "Bob"}
    made = await bench.http.post("/api/keys", json=form)
    assert (made.status_code, made.json()["key"]) == (201, KEY)
    assert made.headers["cache-control"] == "no-store"
    listed = await bench.http.get("/api/keys")
    assert "key" not in listed.json()["keys"][0]
    (request, _) = registry.asked
    assert request == contract.CreateKey(
        name="Alice", scopes=["infer"], models=["org/m"], requested_by="Bob"
    )


@pytest.mark.parametrize(
    ("form", "question"),
    [
        ({"weight": 3}, {"weight": 3}),
        ({"enabled": False}, {"enabled": False}),
        ({"requests_per_minute": 0, "models": []}, {"requests_per_minute": 0, "models": []}),
        ({"expires_at": None}, {"never_expires": True}),
        ({"expires_at": "2026-02-01T00:00:00Z"}, {"expires_at": datetime(2026, 2, 1, tzinfo=UTC)}),
        ({}, {}),
    ],
)
async def test_only_what_is_given_is_changed(bench, registry, form, question):
    answer = await bench.http.patch("/api/keys/k1", json=form)
    assert answer.json()["name"] == "Alice"
    assert registry.asked == [contract.ChangeKey(id="k1", **question)]


async def test_a_key_is_revoked_by_somebody(bench, registry):
    answer = await bench.http.delete("/api/keys/k1", params={"requested_by": "Bob"})
    assert [key["id"] for key in answer.json()["keys"]] == ["k1"]
    assert registry.asked == [contract.RemoveKey(id="k1", requested_by="Bob")]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/keys", {}),
        ("POST", "/api/keys", {"name": ""}),
        ("POST", "/api/keys", {"name": "x", "scopes": []}),
        ("POST", "/api/keys", {"name": "x", "scopes": ["root"]}),
        ("POST", "/api/keys", {"name": "x", "concurrency": -1}),
        ("POST", "/api/keys", {"name": "x", "weight": 0}),
        ("POST", "/api/keys", {"name": "x", "expires_at": "2026-02-01T00:00:00"}),
        ("POST", "/api/keys", {"name": "x", "digest": "0" * 64}),
        ("PATCH", "/api/keys/k1", {"key": KEY}),
        ("PATCH", "/api/keys/a%20b", {"weight": 2}),
    ],
)
async def test_what_makes_no_sense_is_refused_here(bench, registry, method, path, body):
    answer = await bench.http.request(method, path, json=body)
    assert answer.status_code == 422
    assert registry.asked == []
    assert KEY not in answer.text


@pytest.mark.parametrize(
    ("error", "status"), [(NotFoundError("no such key"), 404), (ConflictError("the last"), 409)]
)
async def test_a_refusal_of_the_coordinator_is_passed_on(bench, registry, error, status):
    registry.broken = error
    answer = await bench.http.delete("/api/keys/k1")
    assert (answer.status_code, answer.json()["detail"]) == (status, error.message)
