"""``/api/deep-health``: questions and presses reach health as they were meant."""

from datetime import UTC, datetime

import pytest

from spark_common.bus import Serving
from spark_common.contracts.deep_health import (
    APPLY_REMEDY,
    GET_DEEP_HEALTH,
    RESET_REMEDY,
    RUN_DEEP_CHECK,
    DeepHealth,
    DeepResult,
    DeepService,
    RemedyView,
)
from spark_common.errors import ConflictError
from spark_common.testing import MemoryBus

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def asked(bench):
    heard = []
    last = DeepResult(state="ok", sentence="1024 finite numbers", latency_ms=21.4, at=NOW)
    shown = DeepService(name="embeddings", label="Embeddings", last=last, history=[last])

    async def get(request):
        heard.append(request)
        return DeepHealth(services=[shown], every_seconds=300, as_of=NOW)

    async def run(request):
        heard.append(request)
        return shown

    async def reset(request):
        heard.append(request)
        return RemedyView(service=request.service, label="X", mode="act", state="quiet")

    async def apply(request):
        raise ConflictError("Speech to text was not restarted: a swap to Gemma runs on it")

    bus = MemoryBus("health", bench.broker)
    verbs = [(GET_DEEP_HEALTH, get), (RUN_DEEP_CHECK, run), (RESET_REMEDY, reset)]
    await bus.serve(
        "health", "1", "deep", [Serving(*one) for one in [*verbs, (APPLY_REMEDY, apply)]]
    )
    return heard


async def test_results_are_passed_on(bench, asked):
    answer = await bench.http.get("/api/deep-health?history=3&service=embeddings")
    assert answer.status_code == 200
    assert answer.json()["services"][0]["last"]["sentence"] == "1024 finite numbers"
    assert (asked[0].history, asked[0].service) == (3, "embeddings")


async def test_a_run_may_have_no_body_and_says_who_asked(bench, asked):
    assert (await bench.http.post("/api/deep-health/embeddings/run")).status_code == 200
    body = {"requested_by": "Alice", "wait_seconds": 1}
    await bench.http.post("/api/deep-health/embeddings/run", json=body)
    assert [one.requested_by for one in asked] == ["someone", "Alice"]


async def test_what_is_pressed_is_done_or_refused_in_words(bench, asked):
    answer = await bench.http.post("/api/deep-health/parakeet/remedy/reset", json={})
    assert (answer.status_code, answer.json()["state"]) == (200, "quiet")
    answer = await bench.http.post("/api/deep-health/parakeet/remedy/apply", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/deep-health/no.such.word/run", {}),
        ("/api/deep-health/parakeet/run", {"wait_seconds": 1e9}),
        ("/api/deep-health/parakeet/run", {"wait": 1}),
    ],
)
async def test_what_is_wrong_is_refused(bench, asked, path, body):
    assert (await bench.http.post(path, json=body)).status_code == 422
    assert asked == []
