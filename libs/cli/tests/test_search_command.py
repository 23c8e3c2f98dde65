"""``sparkctl search``, ``collections`` and ``snapshot``."""

HIT = {"id": 1, "score": 0.5, "rerank_score": 0.91, "payload": {"text": "Paris  is\nin France."}}


def test_hits_are_lines_under_what_was_missing(gateway, run):
    missing = [{"code": "no_reranker", "sentence": "There is no reranker."}]
    gateway.says("POST", "/api/search", {"hits": [HIT], "degraded": missing})
    done = run("search", "docs", "capital", "--limit", "3", "--mode", "dense", "--no-rerank")
    assert done.exit_code == 0
    first, head, line = done.output.splitlines()
    assert first == "There is no reranker."
    assert head.split() == ["SCORE", "ID", "TEXT"]
    assert line.split(maxsplit=2) == ["0.910", "1", "Paris is in France."]
    assert gateway.body() == {
        "collection": "docs", "query": "capital", "limit": 3, "mode": "dense", "rerank": False,
    }  # fmt: skip


def test_nothing_is_said_to_be_near(gateway, run):
    gateway.says("POST", "/api/search", {"hits": [], "degraded": []})
    assert run("search", "docs", "x").output == "nothing is near that\n"


def test_collections_are_listed(gateway, run):
    one = {"name": "docs", "points": 4, "dense_vectors": {"": 1024}, "sparse_vectors": ["lex"]}
    gateway.says("GET", "/api/search/collections", {"collections": [one]})
    assert run("collections").output.splitlines()[1].split() == ["docs", "4", "-", "1024", "lex"]


def test_snapshots_are_taken_listed_and_deleted(gateway, run):
    place = "/api/search/collections/a%20b/snapshots"
    taken = {"collection": "a b", "snapshot": {"name": "new"}, "removed": ["old"]}
    gateway.says("POST", place, taken)
    assert run("snapshot", "take", "a b", "--keep", "2").output == "a b is in new\ndeleted old\n"
    assert gateway.body()["keep"] == 2
    listed = {"name": "new", "created_at": "2026-01-01T00:00:00Z", "size_bytes": 7}
    gateway.says("GET", place, {"collection": "a b", "snapshots": [listed]})
    assert "new" in run("snapshot", "list", "a b").output
    gateway.says("DELETE", f"{place}/new", {"collection": "a b", "name": "new"})
    assert run("snapshot", "rm", "a b", "new").output == "new is deleted\n"
