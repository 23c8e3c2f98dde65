"""Every event that can be told has a title and sentences, a body, and headers that are checked."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_common.bus.streams import STREAMS
from spark_common.envelope import Envelope
from spark_common.events import EVENTS
from spark_common.schemas import CHANNELS
from spark_coordinator.webhooks import topics
from spark_coordinator.webhooks.backoff import Backoff
from spark_coordinator.webhooks.body import MAX_BYTES, body_of, delivery_id
from spark_coordinator.webhooks.ports import Answer
from spark_coordinator.webhooks.rows import Owed
from spark_coordinator.webhooks.signing import signed_headers
from spark_coordinator.webhooks.texts import words_of
from spark_coordinator.webhooks.topics import short_type, topic_of
from spark_coordinator.webhooks.verdict import judge

GOLDEN = Path(__file__).parents[4] / "tests/contract/golden"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
TOLD = sorted(
    {
        channel.message.type
        for channel in CHANNELS
        if channel.stream is not None and channel.stream.name in topics.STREAMS
    }
    - topics.UNTOLD
)


def golden(kind: str) -> Envelope:
    return Envelope.model_validate_json((GOLDEN / f"{kind}.v1.json").read_text())


@pytest.mark.parametrize("kind", sorted(topics.UNTOLD))
def test_what_is_for_programs_is_told_to_nobody(kind: str) -> None:
    assert topic_of(golden(kind)) is None


def test_the_streams_of_the_topics_have_the_consumer() -> None:
    reading = {spec.name for spec in STREAMS for one in spec.consumers if one.name == "webhook"}
    assert reading == set(topics.STREAMS)
    assert {one.type for one in EVENTS} >= set(TOLD)


@pytest.mark.parametrize("kind", TOLD)
def test_every_event_has_words_of_its_own(kind: str) -> None:
    envelope = golden(kind)
    words = words_of(kind, envelope.data)
    assert words.title != kind
    assert words.title[0] == words.title[0].upper() or words.title[0].isalpha()
    assert words.text.endswith((".", "!", "?"))
    assert "None" not in words.text + words.title
    assert topic_of(envelope) is not None
    assert topics.STREAM_OF[topic_of(envelope)] in topics.STREAMS


@pytest.mark.parametrize("kind", TOLD)
def test_a_body_says_the_same_in_both_names(kind: str) -> None:
    body = json.loads(body_of(golden(kind)))
    assert body["type"] == kind
    assert body["event"] == kind.replace(".", "_")
    assert list(body) == [
        *("type", "event", "event_id", "timestamp", "title", "message", "data"),
    ]
    assert body["data"] == golden(kind).data


def test_an_event_of_a_newer_version_is_told_by_its_name() -> None:
    assert words_of("swap.complete", {"odd": 1}).text == "spark-control tells: swap.complete."
    assert words_of("swap.new", {}).title == "swap.new"


@pytest.mark.parametrize(
    ("kind", "data", "topic"),
    [
        ("spark.swap.complete.v1", {}, "swap"),
        ("spark.swap.failed.v2", {"dry_run": False}, "swap"),
        ("spark.swap.complete.v1", {"dry_run": True}, None),
        ("spark.lock.acquired.v1", {}, "lock"),
        ("spark.schedule.missed.v1", {}, "schedule"),
        ("spark.health.transition.v1", {}, "health"),
        ("spark.health.transition.v1", {"maintenance": True}, None),
        ("spark.health.transition.v1", {"maintenance": False}, "health"),
        ("spark.service.action.v1", {}, "service"),
        ("spark.update.complete.v1", {}, None),
    ],
)
def test_topics(kind: str, data: dict, topic: str | None) -> None:
    envelope = Envelope(id="e", source="s", type=kind, time=NOW, data=data)
    assert topic_of(envelope) == topic


@pytest.mark.parametrize("width", [100, MAX_BYTES, 40 * MAX_BYTES])
@pytest.mark.parametrize("shape", ["text", "list", "many", "words"])
def test_a_body_is_never_longer_than_redis_is_asked_to_keep(width: int, shape: str) -> None:
    data = {
        "text": {"reason": "x" * width},
        "list": {"lines": ["x"] * (width // 2)},
        "many": {f"k{i}": "x" * 90 for i in range(width // 100)},
        "words": golden("health.transition").data | {"reason": "ü" * width},
    }[shape]
    kind = "spark.health.transition.v1" if shape == "words" else "spark.lock.new.v1"
    envelope = Envelope(id="e", source="s", type=kind, time=NOW, data=data)
    body = body_of(envelope)
    assert len(body.encode()) <= MAX_BYTES
    read = json.loads(body)
    assert read.get("truncated", False) is (read["data"] != data)


@given(st.text(min_size=1), st.text(min_size=1))
def test_an_id_is_constant_and_has_nothing_that_separates(event_id: str, target: str) -> None:
    made = delivery_id(event_id, target)
    assert made == delivery_id(event_id, target) != delivery_id(event_id + "x", target)
    assert "." not in made
    assert len(made) == 36


def test_both_signatures_are_what_their_documents_say() -> None:
    """The second pair is the one of the Standard Webhooks specification."""
    body = b'{"test": 2432232314}'
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = signed_headers(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    plain = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert headers["x-spark-signature"] == f"sha256={plain}"
    assert headers["webhook-timestamp"] == "1614265330"


def test_a_secret_of_ones_own_is_the_key_as_it_is() -> None:
    headers = signed_headers("hunter2", "dlv_1", 7, b"{}")
    made = hmac.digest(b"hunter2", b"dlv_1.7.{}", "sha256")
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(made).decode()}"


def test_without_a_secret_nothing_is_signed() -> None:
    assert set(signed_headers(None, "dlv_1", 7, b"{}")) == {"webhook-id", "webhook-timestamp"}


def owed(tries: int, since_hours: float) -> Owed:
    created = NOW - timedelta(hours=since_hours)
    return Owed("dlv_1", "e", "swap.complete", "{}", tries, created, created + timedelta(hours=72))


def test_waits_double_from_five_seconds_to_an_hour() -> None:
    waits = [Backoff(chance=lambda: 0.0).wait_seconds(tries) for tries in range(1, 13)]
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_wait_with_jitter_stays_between_five_seconds_and_an_hour(tries, chance) -> None:
    assert 5 <= Backoff(chance=lambda: chance).wait_seconds(tries) <= 3600


@pytest.mark.parametrize(
    ("answer", "since_hours", "state", "off"),
    [
        (Answer(ok=True, status=204), 0, "delivered", False),
        (Answer(ok=True, status=200), 100, "delivered", False),
        (Answer(ok=False, status=500, problem="x"), 0, "pending", False),
        (Answer(ok=False, status=302, problem="x"), 71.9, "pending", False),
        (Answer(ok=False, problem="x"), 72, "dead", False),
        (Answer(ok=False, status=410, problem="x", gone=True), 0, "pending", True),
        (Answer(ok=False, status=410, problem="x", gone=True), 100, "pending", True),
    ],
)
def test_verdicts(answer: Answer, since_hours: float, state: str, off: bool) -> None:
    verdict = judge(owed(3, since_hours), answer, NOW, Backoff())
    assert (verdict.state, verdict.tries) == (state, 4)
    assert bool(verdict.disabled_because) is off
    assert verdict.error == ("" if answer.ok else "x")


def test_the_last_try_comes_when_the_time_is_over() -> None:
    verdict = judge(owed(30, 71.5), Answer(ok=False, problem="x"), NOW, Backoff())
    assert verdict.next_at == NOW + timedelta(minutes=30)


def test_short_types() -> None:
    kinds = ("spark.swap.complete.v1", "spark.lock.yield_requested.v12", "odd")
    made = [
        short_type(Envelope(id="e", source="s", type=kind, time=NOW, data={})) for kind in kinds
    ]
    assert made == ["swap.complete", "lock.yield_requested", "odd"]


@pytest.mark.parametrize(
    ("decision", "title"),
    [
        ("acted", "kokoro could not be restarted"),
        ("suggested", "kokoro is stuck: restart it"),
        ("gave_up", "kokoro is stuck: restarts did not help"),
    ],
)
def test_what_was_not_done_is_not_told_as_a_failure(decision, title):
    facts = {
        "service": "kokoro", "host": "spark1", "action": "restart", "automatic": True,
        "requested_by": "health", "reason": "it failed twice at a job that it can do",
        "ok": False, "message": "Press Restart now.", "at": NOW.isoformat(), "decision": decision,
    }  # fmt: skip
    words = words_of("service.action", facts)
    assert words.title == title
    assert "Press Restart now." in words.text
