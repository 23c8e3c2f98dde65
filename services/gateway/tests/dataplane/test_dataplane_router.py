"""Where requests go with what is known, and what is said when they go nowhere."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spark_common.contracts.models import RuntimeView
from spark_common.contracts.swaps import AWAY, Phase, SwapView
from spark_common.events import SwapProgress
from spark_common.testing.documents import shown_answer, unlike
from spark_gateway.dataplane.ports import Refusal, Upstream
from spark_gateway.dataplane.router import SwapAwareRouter

CHAT = b"/v1/chat/completions"
UPSTREAM = Upstream("127.0.0.11", 8888)


class StillClock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def router(clock: StillClock) -> SwapAwareRouter:
    return SwapAwareRouter(lambda: UPSTREAM, clock)


def a_swap(clock: StillClock, phase: Phase, eta: float | None = None) -> SwapView:
    return SwapView(
        id="swap1",
        model="qwen",
        model_name="Qwen 3.6",
        requested_by="Alice",
        phase=phase,
        eta_seconds=eta,
        created_at=clock.now() - timedelta(seconds=12),
    )


def progress(clock: StillClock, phase: Phase, swap_id: str = "swap1") -> SwapProgress:
    return SwapProgress(
        swap_id=swap_id, n=4, model="qwen", phase=phase, eta_seconds=200, at=clock.now()
    )


def refused(router: SwapAwareRouter, path: bytes = CHAT) -> Refusal:
    decision = router.route(b"POST", path, ())
    assert isinstance(decision, Refusal)
    return decision


def test_without_any_knowledge_the_upstream_is_asked(router: SwapAwareRouter) -> None:
    assert router.route(b"POST", CHAT, ()) is UPSTREAM


@pytest.mark.parametrize("phase", list(Phase))
def test_only_phases_without_a_model_refuse(router, clock, phase: Phase) -> None:
    router.set_swap(a_swap(clock, phase))
    assert isinstance(router.route(b"POST", CHAT, ()), Refusal) is (phase in AWAY)


def test_a_swap_says_what_is_loading_and_when_to_come_back(router, clock) -> None:
    router.set_swap(a_swap(clock, Phase.WARMING, eta=170))
    clock.seconds += 20
    refusal = refused(router)
    headers = dict(refusal.headers)
    body = json.loads(refusal.body)
    assert refusal.status == 503
    assert headers[b"retry-after"] == b"60"
    assert headers[b"x-should-retry"] == b"true"
    assert body["error"] == {
        "message": "model qwen is loading on spark1 (phase warming, ETA ~2m)",
        "type": "server_error",
        "param": "model",
        "code": "model_loading",
        "src": "spark-control",
    }
    assert body["loading"] == {
        "model": "qwen",
        "state": "loading",
        "phase": "warming",
        "node": "spark1",
        "elapsed_seconds": 32.0,
        "eta_seconds": 150.0,
        "swap_id": "swap1",
    }
    shown = shown_answer(Path(__file__).parents[4], "docs/api/holding.md")
    assert unlike(shown, body) == []
    assert shown["error"].keys() == body["error"].keys()


def test_an_unknown_eta_is_left_out_rather_than_guessed(router, clock) -> None:
    router.set_swap(a_swap(clock, Phase.LOADING))
    refusal = refused(router)
    assert "eta_seconds" not in json.loads(refusal.body)["loading"]
    assert 1 <= int(dict(refusal.headers)[b"retry-after"]) <= 60


def test_what_was_learned_is_not_said_once_it_is_over(router, clock) -> None:
    router.set_swap(a_swap(clock, Phase.WARMING, eta=30))
    clock.seconds += 30
    refusal = refused(router)
    assert "eta_seconds" not in json.loads(refusal.body)["loading"]
    assert "ETA" not in json.loads(refusal.body)["error"]["message"]
    assert dict(refusal.headers)[b"retry-after"] == b"15"


@pytest.mark.parametrize("phase", list(Phase))
def test_a_swap_is_told_of_in_every_phase_for_as_long_as_it_is_believed(
    router, clock, phase: Phase
) -> None:
    router.set_swap(a_swap(clock, phase))
    told = router.loading(CHAT)
    assert told is not None
    assert json.loads(told.body)["loading"]["phase"] == phase.value
    clock.seconds += 121
    assert router.loading(CHAT) is None


def test_progress_keeps_the_start_of_the_swap_it_belongs_to(router, clock) -> None:
    router.set_swap(a_swap(clock, Phase.STOPPING))
    clock.seconds += 5
    router.set_swap(progress(clock, Phase.LOADING))
    assert json.loads(refused(router).body)["loading"]["elapsed_seconds"] == 17.0
    assert json.loads(refused(router).body)["loading"]["model"] == "qwen"
    router.set_swap(progress(clock, Phase.LOADING, "swap2"))
    assert json.loads(refused(router).body)["loading"]["elapsed_seconds"] == 0.0


def test_claude_is_told_in_its_own_words(router, clock) -> None:
    router.set_swap(a_swap(clock, Phase.LOADING))
    body = json.loads(refused(router, b"/v1/messages").body)
    assert body["type"] == "error"
    assert body["error"]["type"] == "overloaded_error"


def test_a_swap_that_nobody_speaks_of_any_more_is_not_believed(router, clock) -> None:
    router.set_swap(a_swap(clock, Phase.LOADING))
    clock.seconds += 119
    refused(router)
    clock.seconds += 2
    assert router.route(b"POST", CHAT, ()) is UPSTREAM
    router.set_swap(progress(clock, Phase.LOADING))
    refused(router)


def test_the_end_of_a_swap_opens_the_way(router, clock) -> None:
    router.set_swap(a_swap(clock, Phase.LOADING))
    router.set_swap(None)
    assert router.route(b"POST", CHAT, ()) is UPSTREAM


def test_nothing_loaded_is_said_so(router) -> None:
    router.set_runtime(RuntimeView(state="idle"))
    refusal = refused(router)
    assert refusal.status == 503
    assert json.loads(refusal.body)["error"]["code"] == "no_model_loaded"
    assert dict(refusal.headers)[b"x-should-retry"] == b"false"


def test_a_server_that_answers_is_believed_over_an_old_report(router) -> None:
    router.set_runtime(RuntimeView(state="idle"))
    router.set_serving(True)
    assert router.route(b"POST", CHAT, ()) is UPSTREAM


@pytest.mark.parametrize("state", ["unknown", "serving", "degraded", "unreachable"])
def test_in_doubt_the_upstream_is_asked(router, state: str) -> None:
    router.set_runtime(RuntimeView(state=state))
    assert router.route(b"POST", CHAT, ()) is UPSTREAM


def test_a_runtime_that_starts_without_a_swap_is_loading(router) -> None:
    router.set_runtime(RuntimeView(state="starting", served_name="qwen"))
    assert json.loads(refused(router).body)["loading"]["model"] == "qwen"


def test_a_doubled_version_gets_a_hint(router) -> None:
    refusal = refused(router, b"/v1/v1/chat/completions")
    assert refusal.status == 404
    assert b"/v1 twice" in refusal.body


def test_the_model_that_a_swap_brings_is_coming_while_that_is_believed(clock, router):
    assert router.coming() is None
    for phase in Phase:
        router.set_swap(a_swap(clock, phase))
        brings = phase in AWAY and phase is not Phase.ROLLING_BACK
        assert router.coming() == ("qwen" if brings else None), phase
    router.set_swap(progress(clock, Phase.LOADING))
    assert router.coming() == "qwen"
    clock.seconds += 121
    assert router.coming() is None
