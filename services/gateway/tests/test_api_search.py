"""``/api/search`` over a simulated embedding server and a simulated Qdrant."""

import json
from dataclasses import replace
from typing import Any

import pytest
from gateway_stand.beside import TEXTS, fill, search_over
from pydantic import SecretStr

from spark_common.clock import SystemClock
from spark_common.contracts.collections import TAKE_SNAPSHOT, TakeSnapshot
from spark_common.settings.support import QdrantSettings
from spark_common.testing import MemoryBus
from spark_gateway.search.shapes import SearchOrder
from spark_sim.qdrant.collection import Collection


@pytest.fixture
async def full(bench: Any) -> Any:
    fill(bench.qdrant)
    return bench


async def found(bench: Any, **order: Any) -> dict[str, Any]:
    body = {"collection": "docs", "query": "Which is the capital of France?", **order}
    answer = await bench.http.post("/api/search", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(bench: Any, status: int, **order: Any) -> dict[str, Any]:
    body = {"collection": "docs", "query": "Which is the capital of France?", **order}
    # In ASCII: half a character of two can be written only so.
    answer = await bench.http.post(
        "/api/search", content=json.dumps(body), headers={"content-type": "application/json"}
    )
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


async def test_a_hybrid_search_finds_reranks_and_says_how(full):
    answer = await found(full, limit=2)
    assert answer["hits"][0]["id"] == 1
    assert len(answer["hits"]) == 2
    assert (answer["mode"], answer["reranked"], answer["degraded"]) == ("hybrid", True, [])
    assert answer["embedding_model"] == "BAAI/bge-m3"
    first = answer["hits"][0]
    assert first["payload"] == {"text": TEXTS[1], "year": 2021, "secret": "no"}
    assert first["rerank_score"] > 0.5 > answer["hits"][1]["rerank_score"]
    # The ranks of both lists were fused by Qdrant: first in each is one half twice.
    assert first["score"] == pytest.approx(1.0)
    assert all(seconds >= 0 for seconds in answer["seconds"].values())
    # One call for both kinds of vectors, one to rank.
    assert full.embed.calls == ["/v1/embeddings", "/v1/rerank"]


@pytest.mark.parametrize(("mode", "best"), [("dense", 1.0), ("sparse", 0.5), ("hybrid", 1.01)])
async def test_each_mode_compares_what_it_says(full, mode, best):
    answer = await found(full, mode=mode, rerank=False)
    assert answer["mode"] == mode
    assert not answer["reranked"]
    assert answer["hits"][0]["id"] == 1
    assert answer["hits"][0]["rerank_score"] is None
    assert 0 < answer["hits"][0]["score"] <= best
    assert answer["degraded"] == []


async def test_sparse_alone_finds_only_what_shares_words(full):
    answer = await found(full, mode="sparse", rerank=False, query="purr")
    assert [hit["id"] for hit in answer["hits"]] == [3]


async def test_a_filter_is_passed_on_in_every_mode(full):
    given = {"must": [{"key": "year", "range": {"gte": 2022}}]}
    for mode in ("hybrid", "dense", "sparse"):
        answer = await found(full, mode=mode, filter=given)
        assert {hit["id"] for hit in answer["hits"]} <= {2, 3, 4}
        assert answer["hits"][0]["id"] == 2


@pytest.mark.parametrize(
    ("wanted", "payload"),
    [(True, {"text": TEXTS[1], "year": 2021, "secret": "no"}), (False, None),
     (["year"], {"year": 2021}), (["nope"], {}), ([], {})],
)  # fmt: skip
@pytest.mark.parametrize("rerank", [True, False])
async def test_a_hit_shows_the_payload_that_was_asked_for(full, wanted, payload, rerank):
    answer = await found(full, with_payload=wanted, rerank=rerank)
    assert answer["hits"][0]["payload"] == payload
    assert answer["reranked"] is rerank


async def test_a_collection_without_sparse_vectors_is_searched_by_meaning(bench):
    fill(bench.qdrant, layout={"vectors": {"size": 1024, "distance": "Cosine"}})
    answer = await found(bench)
    assert answer["mode"] == "dense"
    assert [one["code"] for one in answer["degraded"]] == ["no_sparse_vectors"]
    assert answer["hits"][0]["id"] == 1


async def test_a_collection_without_dense_vectors_is_searched_by_words(bench):
    fill(bench.qdrant, layout={"sparse_vectors": {"words": {}}})
    answer = await found(bench)
    assert answer["mode"] == "sparse"
    assert [one["code"] for one in answer["degraded"]] == ["no_dense_vectors"]
    await refused(bench, 422, mode="dense")


async def test_a_server_without_sparse_vectors_and_reranker_is_enough(full):
    full.embed.has_sparse = full.embed.has_reranker = False
    answer = await found(full)
    assert (answer["mode"], answer["reranked"]) == ("dense", False)
    assert [one["code"] for one in answer["degraded"]] == ["no_sparse_embedding", "no_reranker"]
    assert answer["hits"][0]["id"] == 1
    problem = await refused(full, 422, mode="sparse")
    assert "use mode dense" in problem["detail"]


async def test_hits_without_text_keep_their_order_behind_those_with(full):
    del full.qdrant.collections["docs"].points[1].payload["text"]  # type: ignore[attr-defined]
    answer = await found(full)
    assert [one["code"] for one in answer["degraded"]] == ["no_text"]
    assert answer["hits"][-1]["id"] == 1
    assert answer["hits"][-1]["rerank_score"] is None
    nowhere = await found(full, text_field="year")
    assert not nowhere["reranked"]


@pytest.mark.parametrize(
    ("layout", "says"),
    [
        ({"vectors": {"dense": {"size": 384, "distance": "Cosine"}}}, "dense with 384"),
        ({"vectors": {}}, "no vectors that a search could compare"),
        ({"vectors": {"a": {"size": 1024, "distance": "Dot"},
                      "b": {"size": 1024, "distance": "Dot"}}}, "dense_vector: 'a', 'b'"),
    ],
)  # fmt: skip
async def test_a_collection_with_nothing_that_fits_says_so(bench, layout, says):
    bench.qdrant.collections["docs"] = Collection.made_of("docs", layout)
    problem = await refused(bench, 422)
    assert says in problem["detail"]
    assert problem["details"]["stage"] == "fit"


async def test_one_of_several_vectors_can_be_named(bench):
    two = {"a": {"size": 1024, "distance": "Dot"}, "b": {"size": 1024, "distance": "Cosine"}}
    fill(bench.qdrant, layout={"vectors": two, "sparse_vectors": {"x": {}, "y": {}}})
    answer = await found(bench, dense_vector="b", sparse_vector="y")
    assert answer["mode"] == "hybrid"
    assert "'c'; it has 'a', 'b'" in (await refused(bench, 422, dense_vector="c"))["detail"]


async def test_the_two_lists_become_one_in_the_way_that_was_asked_for(full):
    by_rank = await found(full, rerank=False)
    by_score = await found(full, rerank=False, fusion="dbsf")
    assert by_rank["hits"][0]["id"] == by_score["hits"][0]["id"] == 1
    assert by_rank["hits"][0]["score"] != by_score["hits"][0]["score"]


NESTED = {"meta": {"source": "book", "page": 7, "body": {"text": TEXTS[1]}}, "text": "other"}


@pytest.mark.parametrize("rerank", [True, False])
@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (["meta.source"], {"meta": {"source": "book"}}),
        (["meta.source", "meta.page"], {"meta": {"source": "book", "page": 7}}),
        (["meta"], {"meta": NESTED["meta"]}),
        (["text"], {"text": "other"}),
        (["meta.nope"], {}),
    ],
)
async def test_fields_inside_of_others_are_shown_as_they_were_asked_for(
    full, rerank, wanted, shown
):
    points = full.qdrant.collections["docs"].points
    points[1] = replace(points[1], payload=NESTED)
    alone = {"must": [{"has_id": [1]}]}
    order = {"with_payload": wanted, "rerank": rerank, "filter": alone, "text_field": "text"}
    assert (await found(full, **order))["hits"][0]["payload"] == shown


async def test_the_reranker_reads_a_field_inside_of_others(full):
    points = full.qdrant.collections["docs"].points
    for number, text in TEXTS.items():
        points[number] = replace(points[number], payload={"meta": {"body": {"text": text}}})
    answer = await found(full, text_field="meta.body.text", with_payload=False)
    assert answer["degraded"] == []
    assert answer["hits"][0]["rerank_score"] > 0.5


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"fusion": "best"}, "fusion"),
        ({"collection": "a/b"}, "collection"), ({"collection": ".."}, "collection"),
        ({"collection": ""}, "collection"), ({"collection": "x" * 256}, "collection"),
        ({"collection": "a\x00"}, "collection"), ({"collection": "a\ud800"}, "collection"),
        ({"query": " \n"}, "query"), ({"query": "x" * 32_769}, "query"),
        ({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"limit": "7"}, "limit"),
        ({"mode": "fuzzy"}, "mode"), ({"filter": []}, "filter"), ({"more": 1}, "more"),
    ],
)  # fmt: skip
async def test_what_is_no_search_is_refused_before_anybody_is_asked(full, order, field):
    problem = await refused(full, 422, **order)
    assert field in problem["detail"]
    assert full.embed.calls == []


@pytest.mark.parametrize(
    "name", ["café #1", "a%2Fb", "with space", "q&a", "[x]", "100%", "a;b", "ü"]
)
async def test_any_name_that_qdrant_takes_arrives_as_it_is(bench, name):
    fill(bench.qdrant, name)
    assert (await found(bench, collection=name))["hits"][0]["id"] == 1


async def test_a_collection_that_is_not_there_is_named_with_its_neighbours(full):
    problem = await refused(full, 404, collection="dogs")
    assert problem["details"]["near"] == ["docs"]
    assert "did you mean 'docs'?" in problem["detail"]


async def test_a_filter_that_qdrant_does_not_understand_is_told_in_its_words(full):
    problem = await refused(full, 422, filter={"musst": []})
    assert "unknown field `musst`" in problem["detail"]
    assert problem["details"]["stage"] == "search"


async def test_a_server_that_is_loading_is_not_ready(full):
    full.embed.loading = True
    problem = await refused(full, 503)
    assert "not ready: The models are being loaded." in problem["detail"]
    assert problem["details"]["stage"] == "embed"


async def test_a_query_that_is_too_long_for_the_model_is_refused(full):
    problem = await refused(full, 422, query="w " * 9000)
    assert "maximum context length" in problem["detail"]


async def test_collections_are_listed_with_their_vectors(full):
    fill(full.qdrant, "b", {"vectors": {"size": 1024, "distance": "Dot"}})
    answer = await full.http.get("/api/search/collections")
    assert answer.json()["collections"] == [
        {"name": "b", "points": 4, "dense_vectors": {"": 1024}, "sparse_vectors": [],
         "problem": None},
        {"name": "docs", "points": 4, "dense_vectors": {"dense": 1024},
         "sparse_vectors": ["sparse"], "problem": None},
    ]  # fmt: skip


@pytest.mark.parametrize("depth", [200, 5_000, 200_000])
async def test_a_filter_of_any_depth_is_answered(full, depth):
    nested = '{"must":' * depth + "[]" + "}" * depth
    body = f'{{"collection": "docs", "query": "capital", "filter": {nested}}}'
    answer = await full.http.post(
        "/api/search", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code in (200, 400, 413, 422)
    if depth == 200_000:
        assert answer.status_code == 413


async def test_the_key_of_qdrant_goes_with_every_question_and_into_no_answer(full):
    full.qdrant.api_key = "s3cret-key"
    problem = await refused(full, 502)
    assert "QDRANT_API_KEY" in problem["detail"]
    settings = QdrantSettings(qdrant_api_key=SecretStr("s3cret-key"))
    client, search = search_over(full.embed, full.qdrant, SystemClock(), settings)
    async with client:
        answer = await search.searching.search(SearchOrder(collection="docs", query="capital"))
    assert answer.hits
    assert "s3cret" not in answer.model_dump_json()


async def test_snapshots_are_taken_listed_kept_in_number_and_deleted(full):
    place = "/api/search/collections/docs/snapshots"
    taken = await full.http.post(place, json={"requested_by": "Alice"})
    assert taken.status_code == 201
    name = taken.json()["snapshot"]["name"]
    assert taken.json()["made"] is True
    listed = (await full.http.get(place)).json()["snapshots"]
    assert [one["name"] for one in listed] == [name]
    assert listed[0]["created_at"].endswith("Z")
    stored = full.qdrant.snapshots["docs"]
    older = [f"docs-42-2025-01-0{day}-00-00-00.snapshot" for day in range(1, 4)]
    mine = ["before-the-move.snapshot", "docs-42-2025.snapshot", "docs.tar"]
    for number, each in enumerate((*older, *mine)):
        stored[each] = {"name": each, "creation_time": f"2025-01-0{number + 1}T00:00:00"}
    mine.append("docs-42-2025-01-09-00-00-00.snapshot")
    stored[mine[-1]] = {"name": mine[-1], "creation_time": None}
    kept = (await full.http.post(place, json={"keep": 2})).json()
    name = kept["snapshot"]["name"]
    assert set(older[:2]) <= set(kept["removed"]) <= set(older) | {listed[0]["name"]}
    # What somebody put there or named stays, and so does what has no known age.
    assert set(mine) < set(stored)
    assert len(stored) == 2 + len(mine)
    assert name in stored
    assert (await full.http.delete(f"{place}/{name}")).json()["name"] == name
    assert (await full.http.delete(f"{place}/{name}")).status_code == 404
    assert (await full.http.post("/api/search/collections/nope/snapshots")).status_code == 404


async def test_only_those_that_are_named_count_for_what_shall_stay(full):
    stored = full.qdrant.snapshots.setdefault("docs", {})
    older = [f"docs-42-2025-01-0{day}-00-00-00.snapshot" for day in range(1, 5)]
    for number, each in enumerate(older, 1):
        stored[each] = {"name": each, "creation_time": f"2025-01-0{number}T00:00:00"}
    _, search = search_over(full.embed, full.qdrant, SystemClock())
    ours = [older[0], older[2], "docs-42-2024-01-01-00-00-00.snapshot"]
    taken = await search.snapshots.take(TakeSnapshot(collection="docs", keep=2, ours=ours))
    assert taken.removed == [older[0]]
    assert set(older[1:]) < set(stored)
    none = await search.snapshots.take(TakeSnapshot(collection="docs", keep=1, ours=[]))
    assert none.removed == []


async def test_a_snapshot_asked_for_twice_for_one_run_is_taken_once(full):
    caller = MemoryBus("coordinator", full.broker)
    gateway = MemoryBus("gateway", full.broker)
    _, search = search_over(full.embed, full.qdrant, SystemClock())
    await gateway.serve("gateway-snapshots", "1.0.0", "snapshots", search.snapshots.verbs())
    since = SystemClock().now().replace(microsecond=0)
    request = TakeSnapshot(collection="docs", keep=2, unless_since=since)
    first = await caller.call(TAKE_SNAPSHOT, request, timeout_seconds=5)
    again = await caller.call(TAKE_SNAPSHOT, request, timeout_seconds=5)
    assert (first.made, again.made) == (True, False)
    assert first.snapshot == again.snapshot
    assert len(full.qdrant.snapshots["docs"]) == 1
