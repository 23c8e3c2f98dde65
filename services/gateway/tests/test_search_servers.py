"""Searches over servers that misbehave, are old, or want a key."""

import asyncio
from typing import Any

import httpx
import pytest
from gateway_stand.beside import fill, search_over
from pydantic import SecretStr

from spark_common.clock import SystemClock
from spark_common.contracts.collections import TakeSnapshot
from spark_common.errors import (
    DeadlineExceededError,
    InvalidRequestError,
    SparkError,
    UpstreamFailedError,
)
from spark_common.settings.support import QdrantSettings
from spark_gateway.search import asking
from spark_gateway.search import qdrant as qdrant_module
from spark_gateway.search.asking import JsonServer, Place
from spark_gateway.search.shapes import SearchOrder
from spark_sim.embed_http.app import EmbedServer
from spark_sim.qdrant.app import QdrantServer


def other_client(handler: Any) -> Any:
    """Return a search over servers that misbehave."""
    client, search = search_over(EmbedServer(), QdrantServer(), SystemClock())
    client._mounts.clear()
    client._transport = httpx.MockTransport(handler)
    return search


LONG = f'{{"data":[{{"embedding":[1{"0" * 400}]}}]}}'
LAYOUT = {"result": {"config": {"params": {"vectors": {"size": 2, "distance": "Dot"}}}}}


@pytest.mark.parametrize(
    ("path", "answer", "code", "stage"),
    [
        ("/collections/docs", httpx.Response(200, text="<html>"), "upstream_failed", "search"),
        ("/collections/docs", httpx.Response(500, text="oops"), "upstream_failed", "search"),
        ("/collections/docs", httpx.Response(401, text="Invalid"), "upstream_failed", "search"),
        ("/collections/docs", httpx.Response(429, json={}), "unavailable", "search"),
        ("/v1/embeddings", httpx.Response(200, json={"data": []}), "upstream_failed", "embed"),
        ("/v1/embeddings", httpx.Response(200, content=b'{"data":[{"embedding":[NaN,1]}]}'),
         "upstream_failed", "embed"),
        ("/v1/embeddings", httpx.Response(200, text=LONG), "upstream_failed", "embed"),
        ("/v1/embeddings", httpx.Response(200, content=b"[" * 100_000),
         "upstream_failed", "embed"),
        ("/v1/embeddings", httpx.Response(413, json={"error": "too long", "error_type": "x"}),
         "invalid_request", "embed"),
        ("/v1/embeddings", httpx.Response(404, json={"detail": "Not Found"}),
         "upstream_failed", "embed"),
        ("/v1/embeddings", httpx.ConnectError("no"), "unavailable", "embed"),
        ("/v1/embeddings", httpx.ReadError("no"), "unavailable", "embed"),
        ("/collections/docs/points/query", httpx.Response(200, json={"result": [1]}),
         "upstream_failed", "search"),
    ],
)  # fmt: skip
async def test_each_failure_names_its_stage(path, answer, code, stage):
    good = {
        "/collections/docs": httpx.Response(200, json=LAYOUT),
        "/v1/embeddings": httpx.Response(200, json={"data": [{"embedding": [1.0, 2]}]}),
        "/collections/docs/points/query": httpx.Response(200, json={"result": {"points": []}}),
    } | {path: answer}

    def handle(request: httpx.Request) -> httpx.Response:
        reply = good[request.url.path]
        if isinstance(reply, Exception):
            raise reply
        return reply

    search = other_client(handle)
    with pytest.raises(SparkError) as caught:
        await search.searching.search(SearchOrder(collection="docs", query="q"))
    assert caught.value.body().code == code
    assert caught.value.details["stage"] == stage


@pytest.mark.parametrize(
    "ranking",
    [httpx.Response(500), httpx.ConnectError("no"), httpx.Response(200, json={"results": []}),
     httpx.Response(200, json={"results": [{"index": 7, "relevance_score": 1}]})],
)  # fmt: skip
async def test_a_reranker_that_fails_costs_the_order_and_not_the_answer(ranking):
    points = [{"id": 1, "score": 0.5, "payload": {"text": "a"}}]
    good = {
        "/collections/docs": httpx.Response(200, json=LAYOUT),
        "/v1/embeddings": httpx.Response(200, json={"data": [{"embedding": [1.0, 2]}]}),
        "/collections/docs/points/query": httpx.Response(200, json={"result": {"points": points}}),
        "/v1/rerank": ranking,
    }

    def handle(request: httpx.Request) -> httpx.Response:
        reply = good[request.url.path]
        if isinstance(reply, Exception):
            raise reply
        return reply

    answer = await other_client(handle).searching.search(SearchOrder(collection="docs", query="q"))
    assert [hit.id for hit in answer.hits] == [1]
    codes = [one.code for one in answer.degraded]
    assert codes == ["no_sparse_vectors", "rerank_failed"]


async def test_an_answer_is_bounded_in_time_and_size(monkeypatch):
    client, _ = search_over(EmbedServer(delay_seconds=5), QdrantServer(), SystemClock())
    server = JsonServer("it", "embed", lambda: Place("http://127.0.0.12:8081", {}), client)
    async with client:
        with pytest.raises(DeadlineExceededError) as late:
            await server.ask("GET", "/health", seconds=0.05)
        assert late.value.details["stage"] == "embed"
        monkeypatch.setattr(asking, "MOST_BYTES", 10)
        server = JsonServer("it", "search", lambda: Place("http://127.0.0.12:6333", {}), client)
        with pytest.raises(UpstreamFailedError, match="answered more than"):
            await server.ask("GET", "/collections", seconds=5)


async def test_a_qdrant_that_is_too_old_is_not_said_to_lack_the_collection():
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/points/query"):
            return httpx.Response(404)
        if request.url.path == "/collections":
            return httpx.Response(200, json={"result": {"collections": [{"name": "docs"}]}})
        if request.url.path == "/v1/embeddings":
            return httpx.Response(200, json={"data": [{"embedding": [1.0, 2]}]})
        return httpx.Response(200, json=LAYOUT)

    with pytest.raises(UpstreamFailedError, match=r"1\.10 or newer"):
        await other_client(handle).searching.search(SearchOrder(collection="docs", query="q"))


async def test_a_collection_that_cannot_be_read_does_not_hide_the_others():
    names = [{"name": name} for name in ("bad", "gone", "good")]

    def handle(request: httpx.Request) -> httpx.Response:
        answers = {
            "/collections": httpx.Response(200, json={"result": {"collections": names}}),
            "/collections/bad": httpx.Response(500, json={"status": {"error": "no segment"}}),
            "/collections/gone": httpx.Response(404, json={"status": {"error": "Not found"}}),
            "/collections/good": httpx.Response(200, json=LAYOUT),
        }
        if request.url.path == "/collections/gone":
            names[:] = [row for row in names if row["name"] != "gone"]
        return answers[request.url.path]

    listed = await other_client(handle).searching.collections()
    assert [(one.name, one.problem) for one in listed] == [
        ("bad", "Qdrant failed: no segment"),
        ("good", None),
    ]


async def test_thousands_of_collections_are_looked_at_a_few_at_a_time():
    names = [{"name": str(number)} for number in range(2000)]
    now, most = 0, 0

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal now, most
        if request.url.path == "/collections":
            return httpx.Response(200, json={"result": {"collections": names}})
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        return httpx.Response(200, json=LAYOUT)

    assert len(await other_client(handle).searching.collections()) == 2000
    assert most <= 8


@pytest.mark.parametrize(("mode", "says"), [("hybrid", "no_words"), ("sparse", None)])
async def test_a_query_without_words_is_not_laid_at_the_server_s_door(mode, says):
    qdrant = QdrantServer()
    fill(qdrant)
    client, search = search_over(EmbedServer(), qdrant, SystemClock())
    order = SearchOrder(collection="docs", query="!?", mode=mode, rerank=False)
    async with client:
        if says is None:
            with pytest.raises(InvalidRequestError, match=r"^No word of the query has weight; use"):
                await search.searching.search(order)
            return
        answer = await search.searching.search(order)
    assert (answer.mode, [one.code for one in answer.degraded]) == ("dense", [says])


async def test_a_snapshot_is_there_though_older_ones_cannot_be_deleted():
    names = [f"docs-4-2025-01-0{day}-00-00-00.snapshot" for day in (1, 2, 3)]
    rows = [{"name": name, "creation_time": f"{name[7:17]}T00:00:00"} for name in names]

    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, json={"result": rows[2]})
        if request.method == "GET":
            return httpx.Response(200, json={"result": rows})
        if names[1] in request.url.path:
            return httpx.Response(200, json={"result": True})
        return httpx.Response(500, json={"status": {"error": "read-only disk"}})

    taken = await other_client(handle).snapshots.take(TakeSnapshot(collection="docs", keep=1))
    assert (taken.snapshot.name, taken.removed) == (names[2], [names[1]])
    assert taken.problem == "Qdrant failed: read-only disk"


async def test_a_snapshot_that_takes_long_is_said_to_go_on(monkeypatch):
    monkeypatch.setattr(qdrant_module, "_SNAPSHOT_SECONDS", 0.05)

    async def handle(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(5)
        return httpx.Response(200)

    with pytest.raises(DeadlineExceededError, match="goes on by itself") as caught:
        await other_client(handle).snapshots.take(TakeSnapshot(collection="docs"))
    assert caught.value.details["stage"] == "search"


@pytest.mark.parametrize("key", ["schlüssel-密", " padded "])
async def test_any_key_arrives_as_qdrant_was_started_with_it(key):
    qdrant = QdrantServer(api_key=key.strip().encode().decode("latin-1"))
    fill(qdrant)
    client, search = search_over(
        EmbedServer(), qdrant, SystemClock(), QdrantSettings(qdrant_api_key=SecretStr(key))
    )
    async with client:
        assert await search.searching.collections()


async def test_a_key_that_no_header_carries_is_named_and_not_shown():
    settings = QdrantSettings(qdrant_api_key=SecretStr("s3cret\nkey"))
    client, search = search_over(EmbedServer(), QdrantServer(), SystemClock(), settings)
    async with client:
        with pytest.raises(UpstreamFailedError, match="QDRANT_API_KEY") as caught:
            await search.searching.collections()
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
