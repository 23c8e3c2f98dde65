"""The embedding server and Qdrant of a simulated Spark, as clients see them."""

import base64
import json
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from spark_common.plain_http import plain_client
from spark_sim.embed_http.app import EmbedServer
from spark_sim.qdrant.app import QdrantServer
from spark_sim.two_sparks import two_sparks

CAPTURES = Path(__file__).parent / "captures_pooling"
WRITING = {"vectors": {"dense": {"size": 3, "distance": "Cosine"}}, "sparse_vectors": {"lex": {}}}
POINTS = [
    {"id": 1, "vector": {"dense": [1, 0, 0], "lex": {"indices": [7], "values": [0.2]}},
     "payload": {"lang": "de", "year": 2024}},
    {"id": 2, "vector": {"dense": [0.9, 0.1, 0], "lex": {"indices": [8], "values": [0.9]}},
     "payload": {"lang": "en", "year": 2026, "tags": ["a", "b"]}},
    {"id": 3, "vector": {"dense": [0, 0, 1], "lex": {"indices": [7, 8], "values": [0.5, 0.5]}},
     "payload": {"lang": "en", "year": 2025}},
]  # fmt: skip


@dataclass
class Desk:
    embed: EmbedServer
    qdrant: QdrantServer
    to_embed: httpx.AsyncClient
    to_qdrant: httpx.AsyncClient


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    embed, qdrant = EmbedServer(), QdrantServer()
    async with client_of(embed) as to_embed, client_of(qdrant) as to_qdrant:
        yield Desk(embed, qdrant, to_embed, to_qdrant)


def client_of(application: EmbedServer | QdrantServer) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://spark2")


def shape(value: object) -> object:
    """Return names and types, without the values."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return sorted({json.dumps(shape(item), sort_keys=True) for item in value})
    return "number" if isinstance(value, int | float) else type(value).__name__


def without(shaped: object, *names: str) -> object:
    if isinstance(shaped, dict):
        return {k: without(v, *names) for k, v in shaped.items() if k not in names}
    return shaped


@pytest.mark.parametrize(
    "name",
    ["embed", "embed_list", "embed_b64", "err_model", "err_empty_list", "err_dimensions",
     "rerank_v1_rerank", "rerank_rerank", "rerank_v2_rerank", "rerank_top_n", "err_no_documents"],
)  # fmt: skip
async def test_what_it_shares_with_vllm_has_the_shape_of_the_captures(
    desk: Desk, name: str
) -> None:
    request = json.loads((CAPTURES / f"{name}.req.json").read_text())
    head, _, body = (CAPTURES / f"{name}.txt").read_text().partition("\n\n")
    sent = {k: v for k, v in request["body"].items() if k != "model" or "err_model" in name}
    answer = await desk.to_embed.post(request["path"], json=sent)
    assert answer.status_code == int(head.split()[1])
    counts = ("completion_tokens",)
    assert without(shape(answer.json()), *counts) == without(shape(json.loads(body)), *counts)


async def test_one_call_gives_dense_and_sparse(desk: Desk) -> None:
    body = {"input": ["Paris in France", "cats"], "return_sparse": True}
    rows = (await desk.to_embed.post("/v1/embeddings", json=body)).json()["data"]
    assert [len(row["embedding"]) for row in rows] == [1024, 1024]
    first, other = (row["sparse_embedding"] for row in rows)
    assert len(first["indices"]) == len(first["values"]) == 3
    assert not set(first["indices"]) & set(other["indices"])
    tei = (await desk.to_embed.post("/embed_sparse", json={"inputs": "Paris in France"})).json()
    assert [one["index"] for one in tei[0]] == first["indices"]
    coded = await desk.to_embed.post("/v1/embeddings", json={**body, "encoding_format": "base64"})
    packed = base64.b64decode(coded.json()["data"][0]["embedding"])
    assert struct.unpack("<1024f", packed) == pytest.approx(rows[0]["embedding"], abs=1e-6)


async def test_words_in_common_are_what_nearness_is_made_of(desk: Desk) -> None:
    texts = ["where is paris", "Paris is in France", "cats purr at night"]
    rows = (await desk.to_embed.post("/v1/embeddings", json={"input": texts})).json()["data"]
    query, near, far = (row["embedding"] for row in rows)
    assert sum(map(float.__mul__, query, near)) > sum(map(float.__mul__, query, far)) + 0.2
    body = {"query": texts[0], "documents": texts[2:0:-1]}
    ranked = (await desk.to_embed.post("/v1/rerank", json=body)).json()["results"]
    assert [row["index"] for row in ranked] == [1, 0]


@pytest.mark.parametrize("given", [[[1, 2], [3]], [1, 2]])
async def test_token_ids_are_refused_with_what_to_do(desk: Desk, given: object) -> None:
    answer = await desk.to_embed.post("/v1/embeddings", json={"input": given})
    assert answer.status_code == 400
    assert "check_embedding_ctx_length=False" in answer.json()["error"]["message"]


async def stored(desk: Desk, name: str = "docs") -> str:
    made = await desk.to_qdrant.put(f"/collections/{name}", json=WRITING)
    assert made.json()["result"] is True
    await desk.to_qdrant.put(f"/collections/{name}/points", json={"points": POINTS})
    return f"/collections/{name}/points/query"


async def asked(desk: Desk, **body: object) -> list[object]:
    answer = await desk.to_qdrant.post("/collections/docs/points/query", json=body)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["result"]["points"]]


async def test_prefetches_are_fused_by_rank(desk: Desk) -> None:
    await stored(desk)
    prefetch = [
        {"query": [1, 0, 0], "using": "dense", "limit": 10},
        {"query": {"indices": [8], "values": [1.0]}, "using": "lex", "limit": 10},
    ]
    body = {"prefetch": prefetch, "query": {"fusion": "rrf"}, "limit": 10}
    answer = await desk.to_qdrant.post("/collections/docs/points/query", json=body)
    rows = answer.json()["result"]["points"]
    assert [row["id"] for row in rows] == [2, 3, 1]
    assert rows[0]["score"] == pytest.approx(1 / 3 + 1 / 2)
    assert "payload" not in rows[0]
    filtered = {"must": [{"key": "year", "range": {"gte": 2026}}]}
    assert await asked(desk, **body, filter=filtered) == [2]


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ({"must": [{"key": "lang", "match": {"value": "en"}}]}, [2, 3]),
        ({"must_not": [{"key": "lang", "match": {"value": "en"}}]}, [1]),
        ({"should": [{"key": "year", "match": {"any": [2024]}}, {"has_id": [3]}]}, [1, 3]),
        ({"must": {"key": "tags", "match": {"value": "b"}}}, [2]),
        ({"must": [{"is_empty": {"key": "tags"}}]}, [1, 3]),
        ({"must": [{"must_not": [{"has_id": [1]}]}]}, [2, 3]),
    ],
)
async def test_filters_choose_points(desk: Desk, given: object, ids: list[int]) -> None:
    await stored(desk)
    assert await asked(desk, filter=given) == ids


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"query": [1, 0], "using": "dense"}, 400, "expected dim: 3, got 2"),
        ({"query": [1, 0, 0], "using": "nope"}, 400, "Not existing vector name error: nope"),
        ({"query": [1, 0, 0]}, 400, "Not existing vector name error"),
        ({"query": {"fusion": "rrf"}}, 422, "prefetch"),
        ({"filter": {"musst": []}}, 400, "unknown field `musst`"),
        ({"filter": {"must": [{"key": "a"}]}}, 400, "untagged enum Condition"),
        ({"limit": 0}, 422, "must be 1 or larger"),
        ({"query": {"indices": [1, 1], "values": [1, 1]}, "using": "lex"}, 422, "unique"),
    ],
)
async def test_refusals_are_those_of_qdrant(
    desk: Desk, body: dict[str, object], status: int, says: str
) -> None:
    path = await stored(desk)
    answer = await desk.to_qdrant.post(path, json=body)
    assert answer.status_code == status
    assert says in answer.json()["status"]["error"]
    assert "result" not in answer.json()


async def test_names_are_decoded_after_the_path_is_cut(desk: Desk) -> None:
    path = await stored(desk, "caf%C3%A9%20%23notes")
    assert (await desk.to_qdrant.post(path, json={"limit": 1})).status_code == 200
    assert list(desk.qdrant.collections) == ["café #notes"]
    refused = await desk.to_qdrant.get("/collections/a%2Fb")
    assert refused.status_code == 422
    gone = await desk.to_qdrant.get("/collections/nope")
    assert gone.status_code == 404
    assert gone.json()["status"]["error"] == "Not found: Collection `nope` doesn't exist!"


async def test_snapshots_are_made_listed_and_deleted(desk: Desk) -> None:
    await stored(desk)
    made = (await desk.to_qdrant.post("/collections/docs/snapshots")).json()["result"]
    assert made["name"].startswith("docs-")
    listed = (await desk.to_qdrant.get("/collections/docs/snapshots")).json()["result"]
    assert listed == [made]
    place = f"/collections/docs/snapshots/{made['name']}"
    assert (await desk.to_qdrant.delete(place)).json()["result"] is True
    assert (await desk.to_qdrant.delete(place)).status_code == 404


async def test_a_key_is_asked_for_where_one_is_set(desk: Desk) -> None:
    desk.qdrant.api_key = "s3cret"
    assert (await desk.to_qdrant.get("/collections")).status_code == 401
    for headers in ({"api-key": "s3cret"}, {"authorization": "Bearer s3cret"}):
        assert (await desk.to_qdrant.get("/collections", headers=headers)).status_code == 200
    assert (await desk.to_qdrant.get("/healthz")).status_code == 200


@pytest.mark.connected
async def test_both_listen_on_the_second_spark_and_go_dark_with_it(tmp_path: Path) -> None:
    async with two_sparks(tmp_path, neighbours=True) as sparks:
        spark2 = sparks.cluster.hosts["spark2"]
        base = f"http://{spark2.address}"
        async with plain_client() as http:
            models = (await http.get(f"{base}:8081/v1/models")).json()["data"]
            assert [one["id"] for one in models] == ["BAAI/bge-m3", "BAAI/bge-reranker-v2-m3"]
            await http.put(f"{base}:6333/collections/a%23b", json=WRITING)
            assert list(spark2.neighbours.qdrant.collections) == ["a#b"]
            await sparks.cluster.behave("spark2", "unreachable")
            with pytest.raises(httpx.ConnectError):
                await http.get(f"{base}:6333/collections")
            await sparks.cluster.behave("spark2", "ok")
            assert (await http.get(f"{base}:6333/collections/a%23b")).status_code == 200
