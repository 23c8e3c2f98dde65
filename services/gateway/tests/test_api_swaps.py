"""The swap routes: what goes over the bus, and how the answers and refusals come back."""

import asyncio

import pytest


async def test_an_accepted_swap_is_202_with_its_place(bench):
    answer = await bench.http.post("/api/swap", json={"model": "gpt-oss-120b"})

    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/swap/{answer.json()['id']}"
    assert answer.json()["phase"] == "queued"
    got = await bench.http.get(answer.headers["location"])
    assert got.json()["id"] == answer.json()["id"]


async def test_a_dry_run_is_200_and_changes_nothing(bench):
    answer = await bench.http.post("/api/swap", json={"model": "gpt-oss-120b", "dry_run": True})

    assert answer.status_code == 200
    assert answer.json()["plan"] == ["stop", "launch"]
    assert "location" not in answer.headers
    assert (await bench.http.get("/api/swap")).json()["current"] is None


async def test_the_lease_token_arrives_in_clear_and_only_from_the_header(bench):
    bench.swapper.lease_token = "s3cret-token"
    order = {"model": "gpt-oss-120b"}

    refused = await bench.http.post("/api/swap", json=order)
    assert refused.status_code == 423
    assert refused.json()["code"] == "lease_held"
    assert refused.json()["details"] == {"holder": "nightly"}

    smuggled = await bench.http.post("/api/swap", json={**order, "lock_token": "s3cret-token"})
    assert smuggled.status_code == 422
    assert smuggled.json()["details"]["fields"][0]["field"] == "body.lock_token"
    assert "s3cret" not in smuggled.text

    headers = {"X-Swap-Lock-Token": "s3cret-token"}
    accepted = await bench.http.post("/api/swap", json=order, headers=headers)
    assert accepted.status_code == 202
    assert bench.swapper.tokens[-1] == "s3cret-token"
    assert "s3cret" not in accepted.text


@pytest.mark.parametrize("key", ["my-key-1", "a key with spaces & more", "x" * 300])
async def test_the_same_key_is_the_same_swap(bench, key):
    headers = {"Idempotency-Key": key}
    first = await bench.http.post("/api/swap", json={"model": "gpt-oss-120b"}, headers=headers)
    again = await bench.http.post("/api/swap", json={"model": "gpt-oss-120b"}, headers=headers)
    other = await bench.http.post("/api/swap", json={"model": "gemma-4-26b"}, headers=headers)

    assert first.status_code == again.status_code == 202
    assert first.json()["id"] == again.json()["id"]
    assert other.status_code == 409
    assert other.json()["code"] == "idempotency_conflict"


async def test_a_valid_key_is_the_id_itself_and_the_body_may_name_it_too(bench):
    by_header = await bench.http.post(
        "/api/swap", json={"model": "gpt-oss-120b"}, headers={"Idempotency-Key": "night-1"}
    )
    assert by_header.json()["id"] == "night-1"
    by_body = await bench.http.post("/api/swap", json={"model": "gpt-oss-120b", "id": "night-1"})
    assert by_body.json()["id"] == "night-1"


async def test_two_different_keys_in_one_request_are_refused(bench):
    answer = await bench.http.post(
        "/api/swap",
        json={"model": "gpt-oss-120b", "id": "one"},
        headers={"Idempotency-Key": "two"},
    )
    assert answer.status_code == 422
    assert bench.swapper.asked == []


async def test_an_unknown_model_is_404_and_names_what_comes_near(bench):
    answer = await bench.http.post("/api/swap", json={"model": "gpt-oss-12b"})

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "unknown_model"
    assert answer.json()["details"]["near"] == ["gpt-oss-120b"]


async def test_a_second_swap_is_409_and_names_the_first(bench):
    bench.swapper.begin("first")
    answer = await bench.http.post("/api/swap", json={"model": "gpt-oss-120b"})
    assert answer.status_code == 409
    assert answer.json()["details"] == {"swap_id": "first"}


async def test_cancel_is_accepted_and_an_unknown_swap_is_404(bench):
    bench.swapper.begin("first")
    answer = await bench.http.delete("/api/swap/first")
    assert answer.status_code == 202
    assert answer.json()["phase"] == "cancelled"
    for method in ("GET", "DELETE"):
        missing = await bench.http.request(method, "/api/swap/nothing")
        assert missing.status_code == 404
        assert missing.json()["code"] == "not_found"


async def test_an_answer_that_is_late_is_not_called_a_failure(bench):
    async def never() -> None:
        await asyncio.Event().wait()

    bench.swapper.delay = never
    answer = await bench.http.post(
        "/api/swap", json={"model": "gpt-oss-120b"}, headers={"Idempotency-Key": "k-1"}
    )
    assert answer.status_code == 503
    assert answer.json()["code"] == "outcome_unknown"
    assert answer.json()["details"] == {"swap_id": "k-1"}
    assert "k-1" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0


async def test_nobody_answers_is_503_with_retry_after(make_bench):
    async with make_bench(swapper_answers=False) as bench:
        for method, path, body in (
            ("GET", "/api/models", None),
            ("GET", "/api/swap", None),
            ("GET", "/api/swap/x", None),
            ("POST", "/api/swap", {"model": "gpt-oss-120b"}),
            ("DELETE", "/api/swap/x", None),
        ):
            answer = await bench.http.request(method, path, json=body)
            assert answer.status_code == 503, path
            assert answer.json()["code"] == "service_unavailable"
            assert int(answer.headers["retry-after"]) > 0


async def test_without_a_bus_every_question_is_503_and_the_rest_still_answers(bench):
    bench.broker.down()
    for path in ("/api/models", "/api/swap", "/api/swap/x", "/api/swap/x/stream"):
        answer = await bench.http.get(path)
        assert answer.status_code == 503, path
        assert answer.json()["code"] == "unavailable"
    status = await bench.http.get("/api/status")
    assert status.status_code == 200
    assert status.json()["bus"]["connected"] is False
    listed = (await bench.http.get("/v1/models")).json()["data"]
    assert [(each["id"], each["status"]["value"]) for each in listed] == [
        ("gpt-oss-120b", "unloaded"),
        ("gemma-4-26b", "unloaded"),
    ]
