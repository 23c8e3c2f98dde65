"""The story of an update: what waits, what it means, getting it past a kill, and going back."""

import json

import httpx
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

GEMMA, QWEN = "gemma-4-26b", "qwen3.6-35b-a3b"


def commits(product) -> list[str]:
    updates = product.http.get("/api/updates").raise_for_status().json()
    return [checkout["commit"] for checkout in updates["checkouts"]]


def job(product, job_id: str):
    return product.http.get(f"/api/updates/jobs/{job_id}").raise_for_status().json()


def over(product, job_id: str):
    def look():
        view = job(product, job_id)
        return view if view["state"] != "running" else None

    return product.until(f"update {job_id} to end", look, 90)


def test_an_update_from_the_news_to_the_way_back(product) -> None:
    swap = product.swap(QWEN)
    refused = product.http.post("/api/updates/apply", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "swap_in_progress")
    assert product.ended(swap["id"])["phase"] == "ready"

    shown = product.sparkctl("updates", "--refresh")
    assert "Spark 1: main at" in shown.stdout, shown.stderr
    assert "4 behind" in shown.stdout
    assert "2026-11-20 Bump vLLM to 0.33.0" in shown.stdout
    before = commits(product)

    with product.http.stream("POST", "/api/explain-updates", json={}, timeout=60) as answer:
        assert answer.status_code == 200
        lines = list(answer.iter_lines())
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert names.count("done") == 1
    assert {"reasoning", "text"} <= set(names)
    texts = [json.loads(line[6:]).get("text", "") for line in lines if line.startswith("data: ")]
    assert "</think>" not in "".join(texts)

    begun = product.http.post("/api/updates/apply", json={"id": "one", "requested_by": "Alice"})
    assert (begun.status_code, begun.headers["location"]) == (202, "/api/updates/jobs/one")
    product.until("the pull", lambda: job(product, "one")["step"] == "pulling")
    busy = product.http.post("/api/swap", json={"model": GEMMA})
    assert (busy.status_code, busy.json()["code"]) == (409, "job_in_progress")
    product.kill("swapper")
    view = over(product, "one")
    assert view["state"] == "complete", view
    ids = {(image["tag"], image["id"]) for image in view["images_after"]}
    assert len(ids) == len({tag for tag, _ in ids}), "one image under each tag, on every Spark"
    assert product.loaded() == QWEN
    assert set(commits(product)) == {view["commit_after"]}
    assert commits(product) != before

    events = []
    with product.http.stream("GET", "/api/updates/jobs/one/stream", timeout=30) as stream:
        events = [line[7:] for line in stream.iter_lines() if line.startswith("event: ")]
    assert events[-1] == "update.complete"
    log = product.http.get("/api/updates/jobs/one/log").raise_for_status().json()
    assert "Copy complete." in log["lines"]

    back = product.sparkctl("updates", "revert", "--follow")
    assert back.returncode == 0, back.stdout + back.stderr
    assert "Back at what was in use" in back.stdout
    assert commits(product) == before
    assert product.loaded() == QWEN


def test_local_changes_refuse_and_name_the_files(product) -> None:
    simulator = product.facts["simulator"]
    for state, ending in (("dirty", "README.md"), ("behind", None)):
        said = product.sparkctl(
            "sim", "spark1", "--checkout", state, "--run-dir", str(product.folder)
        )
        assert said.returncode == 0, said.stderr
        if ending is not None:
            refused = product.http.post("/api/updates/apply", json={})
            assert refused.status_code == 409
            assert ending in refused.json()["detail"]
    odd = httpx.put(f"{simulator}/_sim/checkout", json={"host": "spark1", "state": "odd"})
    assert odd.status_code == 422
