"""Search on the whole product: install the server, fill a collection, find in it, keep it."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
TEXTS = {1: "Paris is the capital of France.", 2: "Cats purr when they are content."}


def fill(embed: str, qdrant: str) -> None:
    layout = {
        "vectors": {"dense": {"size": 1024, "distance": "Cosine"}},
        "sparse_vectors": {"sparse": {}},
    }
    httpx.put(f"{qdrant}/collections/docs", json=layout).raise_for_status()
    body = {"input": list(TEXTS.values()), "return_sparse": True}
    rows = httpx.post(f"{embed}/v1/embeddings", json=body).raise_for_status().json()["data"]
    points = [
        {
            "id": number,
            "vector": {"dense": row["embedding"], "sparse": row["sparse_embedding"]},
            "payload": {"text": TEXTS[number]},
        }
        for number, row in zip(TEXTS, rows, strict=True)
    ]
    place = f"{qdrant}/collections/docs/points"
    httpx.put(place, json={"points": points}).raise_for_status()


def test_from_an_empty_spark_to_a_nightly_snapshot(product) -> None:
    product.until("the swapper", lambda: product.http.get("/api/embedding").raise_for_status())
    installed = product.sparkctl("embedding", "install", "--follow")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    assert "FROM" in installed.stdout

    def complete():
        # The end is told a moment before the record has it.
        found = product.http.get("/api/embedding").json()
        return found if found["job"]["state"] == "complete" else None

    found = product.until("the job is over", complete)
    assert (found["host"], found["state"]) == ("spark2", "ok")

    spark2 = product.arguments[product.arguments.index("--spark2") + 1]
    fill(f"http://{spark2}:8081", f"http://{spark2}:6333")
    said = product.sparkctl("search", "docs", "the capital of France")
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines()[1].endswith(TEXTS[1])
    assert "docs" in product.sparkctl("collections").stdout

    at = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    body = {"id": "keep", "kind": "snapshot", "collection": "docs", "keep": 2, "at": at}

    def registered() -> bool:
        return product.http.post("/api/schedule", json=body).status_code == 201

    product.until("the schedule", registered)

    def run() -> dict:
        runs = product.http.get("/api/schedule/keep").raise_for_status().json()["runs"]
        return runs[0] if runs and runs[0]["finished_at"] else {}

    over = product.until("its run", run, 60)
    assert over["state"] == "done", over
    listed = product.http.get("/api/search/collections/docs/snapshots").json()["snapshots"]
    assert listed[0]["name"] in over["message"]
