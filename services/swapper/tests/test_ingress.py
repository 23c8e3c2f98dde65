"""Who gets in by event: automations that publish ``swap.requested``."""

import asyncio
import json

import pytest
import pytest_asyncio

from spark_common.bus.port import Refused, Unknown
from spark_common.contracts.swaps import Phase, RequestSwap
from spark_common.events import SwapRequested, SwapStart
from spark_swapper import causes


@pytest_asyncio.fixture
async def ingress(bench):
    task = asyncio.create_task(bench.ingress.run())
    yield bench
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def publish(bench, body, id=None):
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    bench.broker.store("swap.requested", payload, id)
    await bench.clock.advance(1)


async def test_bare_json_is_a_request(ingress):
    await publish(ingress, {"model": "qwen", "requested_by": "cron"}, "cron-7")
    job = await ingress.store.get("ing-1") or await ingress.store.get("cron-7")
    assert (job.model, job.requested_by, job.rollback) == ("qwen", "cron", True)
    assert len(ingress.stored("SC_SWAP_CMD")) == 1


async def test_an_enveloped_request_is_one_too(ingress):
    message = SwapRequested(model="qwen", requested_by="cron", id="mine")
    await ingress.bus.publish_durable("swap.requested", message, id="event-1")
    await ingress.clock.advance(1)
    assert (await ingress.store.get("mine")).model == "qwen"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{]", "JSON"),
        (b"[]", "the whole"),
        pytest.param(b"[" * 20_000, "JSON", id="deep"),
        ({"modle": "qwen"}, "modle"),
        ({"model": "qwen", "when_busy": "maybe"}, "when_busy"),
        ({"model": "qwen", "id": "no spaces"}, "id"),
    ],
)
async def test_what_is_no_request_is_rejected_dropped_and_repeats_no_value(ingress, body, named):
    await publish(ingress, body)
    (rejected,) = ingress.stored("SC_SWAP_ADM")
    assert rejected.subject == "swap.rejected.ing-1"
    assert rejected.envelope.data["code"] == "invalid_request"
    assert named in rejected.envelope.data["message"]
    assert "maybe" not in rejected.envelope.data["message"]
    assert len(ingress.stored("SC_DLQ")) == 1
    await publish(ingress, {"model": "qwen", "id": "good"})
    assert await ingress.store.get("good") is not None


async def test_a_refused_request_is_told_with_its_code(ingress):
    await ingress.handlers.request_swap(RequestSwap(model="qwen", id="one"))
    await publish(ingress, {"model": "gemma", "id": "two"})
    rejected = ingress.stored("SC_SWAP_ADM", "swap.rejected.two")
    assert [message.envelope.data["code"] for message in rejected] == ["swap_in_progress"]


async def deliver_again(bench):
    """Let the whole history of requests come once more."""
    bench.broker.stream("SC_INGRESS").consumer("swapper-ingress").next_seq = 1
    bench.broker.touch()
    await bench.clock.advance(1)


async def test_a_request_that_was_refused_stays_refused_when_it_comes_again(ingress):
    await ingress.handlers.request_swap(RequestSwap(model="qwen", id="one"))
    await publish(ingress, {"model": "gemma", "id": "two"})
    one = await ingress.store.get("one")
    ended = one.enter(Phase.CANCELLED, ingress.clock.now(), "x")
    await ingress.store.finish(ended, one.revision, 0)
    await deliver_again(ingress)
    assert await ingress.store.get("two") is None
    assert len(ingress.stored("SC_SWAP_ADM", "swap.rejected.two")) == 1
    await publish(ingress, {"model": "gemma", "id": "two"})
    assert (await ingress.store.get("two")).phase is Phase.QUEUED


async def test_the_same_message_delivered_again_is_the_same_swap(ingress):
    await publish(ingress, {"model": "qwen"})
    await deliver_again(ingress)
    assert len(ingress.stored("SC_SWAP_CMD")) == 1
    assert ingress.stored("SC_SWAP_ADM", "swap.rejected.ing-1") == []


async def test_a_request_withdrawn_before_its_command_was_stored_is_told_as_refused(ingress):
    """The process died between record and command; the sweep came before the message did again."""
    await ingress.store.admit(ingress.job("one", phase=Phase.QUEUED))
    await ingress.clock.advance(60)
    await ingress.sweeping.sweep()
    await publish(ingress, {"model": "qwen", "id": "one"})
    (rejected,) = ingress.stored("SC_SWAP_ADM")
    assert (rejected.subject, rejected.envelope.data["code"]) == (
        "swap.rejected.one",
        "unavailable",
    )
    await deliver_again(ingress)
    assert len(ingress.stored("SC_SWAP_ADM")) == 1
    assert ingress.stored("SC_SWAP_CMD") == []


@pytest.mark.parametrize("stored", [False, True])
async def test_a_request_cancelled_before_its_command_was_stored_is_told_as_refused(
    ingress, stored
):
    """The process died between record and command; a cancel came before the message did again."""
    job = ingress.job("one", phase=Phase.QUEUED)
    await ingress.store.admit(job)
    if stored:
        start = SwapStart(swap_id="one", model="qwen", requested_by="cron", lease_epoch=0)
        await ingress.bus.publish_durable("swap.requested.one", start, id="one")
    cancelled = job.model_copy(update={"cause": causes.cancelled("Alice")})
    ended = cancelled.enter(Phase.CANCELLED, ingress.clock.now(), "x")
    await ingress.store.finish(ended, job.revision, 0)
    await publish(ingress, {"model": "qwen", "id": "one"})
    rejected = ingress.stored("SC_SWAP_ADM", "swap.rejected.one")
    assert [message.envelope.data["code"] for message in rejected] == ["conflict"] * (not stored)


@pytest.mark.parametrize(
    ("body", "stream", "answer"),
    [
        ({"model": "nobody-knows"}, "SC_SWAP_ADM", "swap.rejected.ing-1"),
        ({"model": "qwen", "dry_run": True}, "SC_SWAP_EVT", "swap.complete.ing-1:dry-run"),
    ],
)
async def test_an_answer_that_cannot_be_stored_now_is_told_later(
    ingress, monkeypatch, body, stream, answer
):
    publish_durable, away = ingress.bus.publish_durable, True

    async def flaky(subject, *given, **more):
        if away and subject == answer:
            return Unknown("the event bus does not answer")
        return await publish_durable(subject, *given, **more)

    monkeypatch.setattr(ingress.bus, "publish_durable", flaky)
    await publish(ingress, body)
    await ingress.clock.advance(5)
    assert ingress.stored(stream) == []
    away = False
    await ingress.clock.advance(5)
    assert [message.subject for message in ingress.stored(stream)] == [answer]


async def test_an_answer_that_is_refused_leaves_its_request_to_be_delivered_again(
    ingress, monkeypatch
):
    publish_durable, full = ingress.bus.publish_durable, True

    async def flaky(subject, *given, **more):
        if full and subject.startswith("swap.rejected."):
            return Refused("the stream is full")
        return await publish_durable(subject, *given, **more)

    monkeypatch.setattr(ingress.bus, "publish_durable", flaky)
    await publish(ingress, {"model": "nobody-knows"})
    full = False
    await ingress.clock.advance(5)
    assert len(ingress.stored("SC_SWAP_ADM", "swap.rejected.ing-1")) == 1


async def test_an_automation_is_patient_while_redis_is_away(ingress):
    ingress.store.away = True
    await publish(ingress, {"model": "qwen", "id": "one"})
    await ingress.clock.advance(60)
    assert ingress.stored("SC_SWAP_ADM") == []
    ingress.store.away = False
    await ingress.clock.advance(5)
    assert (await ingress.store.get("one")).phase is Phase.QUEUED


async def test_an_automation_may_ask_for_force_and_does_not_get_it_unasked(ingress):
    await publish(ingress, {"model": "qwen", "id": "one", "when_busy": "queue"})
    await publish(ingress, {"model": "gemma", "id": "two", "when_busy": "queue", "force": True})
    await ingress.clock.advance(5)
    assert (await ingress.store.get("one")).force is False
    assert (await ingress.store.get("two")).force is True
    commands = [message.envelope.data["force"] for message in ingress.stored("SC_SWAP_CMD")]
    assert commands == [False, True]


async def test_a_dry_run_by_event_is_answered_as_one(ingress):
    await publish(ingress, {"model": "qwen", "id": "one", "dry_run": True})
    await ingress.clock.advance(5)
    (told,) = ingress.stored("SC_SWAP_EVT")
    assert told.subject == "swap.complete.one:dry-run"
    assert (told.envelope.data["swap_id"], told.envelope.data["dry_run"]) == ("one", True)
    assert ingress.runtime.journal == []


async def test_after_a_dry_run_by_event_the_same_id_may_really_swap(ingress):
    await publish(ingress, {"model": "qwen", "id": "one", "dry_run": True})
    await ingress.clock.advance(5)
    await publish(ingress, {"model": "qwen", "id": "one", "dry_run": True})
    await ingress.clock.advance(5)
    assert len(ingress.stored("SC_SWAP_EVT")) == 2
    await publish(ingress, {"model": "qwen", "id": "one"})
    working = asyncio.create_task(ingress.worker.run())
    telling = asyncio.create_task(ingress.teller.run())
    await ingress.until(lambda: len(ingress.stored("SC_SWAP_EVT")) == 3)
    told = ingress.stored("SC_SWAP_EVT")[-1]
    assert (told.subject, told.envelope.data["dry_run"]) == ("swap.complete.one", False)
    assert ingress.runtime.loaded == "qwen"
    await ingress.until(lambda: ingress.worker.running is None)
    assert (await ingress.store.get("one")).phase is Phase.READY
    for task in (working, telling):
        task.cancel()
    await asyncio.gather(working, telling, return_exceptions=True)
