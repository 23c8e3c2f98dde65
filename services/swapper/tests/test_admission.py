"""Who gets in: callers over the bus, automations by event, and what the rest is told."""

import asyncio
import json

import pytest
import pytest_asyncio

from spark_common.contracts.swaps import CancelSwap, GetSwap, ListSwaps, Phase, RequestSwap
from spark_common.errors import (
    AlreadyLoadedError,
    IdempotencyConflictError,
    InvalidRequestError,
    LeaseHeldError,
    NotFoundError,
    OutcomeUnknownError,
    SwapInProgressError,
    UnavailableError,
    UnknownModelError,
)
from spark_common.events import SwapRequested
from spark_swapper.ports import PreflightResult


async def request(bench, model="qwen", **more):
    return await bench.handlers.request_swap(RequestSwap(model=model, **more))


def stored(bench, stream, subject=None):
    return [
        message
        for message in bench.broker.stream(stream).messages.values()
        if subject is None or message.subject == subject
    ]


async def test_an_admitted_swap_is_recorded_commanded_and_told(bench):
    view = await request(bench, requested_by="Alice", rollback=True, id="one")
    assert (view.phase, view.model, view.rollback) == (Phase.QUEUED, "qwen", True)
    (command,) = stored(bench, "SC_SWAP_CMD", "swap.requested.one")
    assert command.envelope.data == {
        "swap_id": "one",
        "model": "qwen",
        "requested_by": "Alice",
        "rollback": True,
        "force": False,
        "drop_caches": False,
        "reload": False,
        "override_lease": False,
        "lease_epoch": 0,
    }
    (accepted,) = stored(bench, "SC_SWAP_ADM")
    assert accepted.subject == "swap.accepted.one"


async def test_a_repetition_gets_the_same_swap_and_stores_nothing_more(bench):
    await request(bench, id="one")
    assert (await request(bench, id="one")).id == "one"
    assert len(stored(bench, "SC_SWAP_CMD")) == 1


async def test_the_same_id_for_another_request_is_refused(bench):
    await request(bench, id="one")
    with pytest.raises(IdempotencyConflictError):
        await request(bench, "gemma", id="one")


async def test_a_double_click_is_one_swap(bench):
    views = await asyncio.gather(*(request(bench, id="click") for _ in range(5)))
    assert {view.id for view in views} == {"click"}
    assert len(stored(bench, "SC_SWAP_CMD")) == 1


@pytest.mark.parametrize("taken", ["live", "index", "current", "lock"])
async def test_an_id_that_would_fall_on_our_own_keys_or_routes_is_refused(bench, taken):
    with pytest.raises(InvalidRequestError):
        await request(bench, id=taken)


async def test_an_unknown_model_names_what_comes_close(bench):
    with pytest.raises(UnknownModelError) as refused:
        await request(bench, "nope")
    assert "qwen" in refused.value.details["near"]


async def test_a_busy_swapper_names_the_running_swap(bench):
    await request(bench, id="one")
    with pytest.raises(SwapInProgressError) as refused:
        await request(bench, "gemma", id="two")
    assert refused.value.details["swap_id"] == "one"
    with pytest.raises(NotFoundError):
        await bench.handlers.get_swap(GetSwap(id="two"))


async def test_a_lease_refuses_everybody_but_its_holder(bench):
    epoch = bench.gate.take("nightly-batch", "secret")
    for token in (None, "wrong"):
        with pytest.raises(LeaseHeldError) as refused:
            await request(bench, lock_token=token)
        assert refused.value.details["holder"] == "nightly-batch"
    view = await request(bench, lock_token="secret", id="mine")
    assert (await bench.store.get("mine")).lease_epoch == view.lease_epoch == epoch
    record = (await bench.store.get("mine")).model_dump_json()
    messages = b"".join(message.payload for message in stored(bench, "SC_SWAP_CMD"))
    assert "secret" not in record + messages.decode() + view.model_dump_json()


async def test_a_person_may_swap_through_a_lease_which_is_told(bench):
    epoch = bench.gate.take("nightly-batch", "secret")
    for _ in range(2):
        await request(bench, override_lease=True, requested_by="Owner", id="mine")
    (command,) = stored(bench, "SC_SWAP_CMD")
    assert command.envelope.data["override_lease"] is True
    assert command.envelope.data["lease_epoch"] == epoch
    assert bench.gate.through == [("mine", "Owner")]


async def test_the_holder_needs_no_override_and_nothing_is_told(bench):
    bench.gate.take("nightly-batch", "secret")
    await request(bench, lock_token="secret", override_lease=True)
    (command,) = stored(bench, "SC_SWAP_CMD")
    assert command.envelope.data["override_lease"] is False
    assert bench.gate.through == []


async def test_a_lease_that_cannot_be_read_refuses_even_a_person(bench):
    bench.gate.away = True
    with pytest.raises(UnavailableError):
        await request(bench, override_lease=True)


async def test_a_lease_that_cannot_be_read_refuses(bench):
    bench.gate.away = True
    with pytest.raises(UnavailableError):
        await request(bench)


async def test_the_loaded_model_is_refused(bench):
    await bench.observer.look()
    with pytest.raises(AlreadyLoadedError) as refused:
        await request(bench, "gemma")
    assert refused.value.details["model"] == "gemma"


async def test_while_another_swap_runs_the_loaded_model_may_be_queued(bench):
    await bench.observer.look()
    await request(bench, id="one")
    view = await request(bench, "gemma", id="two", when_busy="queue")
    assert view.phase is Phase.QUEUED


async def test_without_the_bus_nobody_is_told_yes(bench):
    bench.broker.down()
    with pytest.raises(OutcomeUnknownError) as refused:
        await request(bench, id="one")
    assert refused.value.details["id"] == "one"
    bench.broker.up()
    assert (await request(bench, id="one")).phase is Phase.QUEUED
    assert len(stored(bench, "SC_SWAP_CMD")) == 1


async def test_a_record_without_a_command_is_ended_after_half_a_minute(bench):
    bench.broker.down()
    with pytest.raises(OutcomeUnknownError):
        await request(bench, id="one")
    bench.broker.up()
    await bench.sweeping.sweep()
    assert (await bench.store.get("one")).phase is Phase.QUEUED
    await bench.clock.advance(31)
    await bench.sweeping.sweep()
    job = await bench.store.get("one")
    assert (job.phase, job.cause.code) == (Phase.FAILED, "not_accepted")
    assert await bench.store.live() == []
    assert len(stored(bench, "SC_SWAP_EVT", "swap.failed.one")) == 1


async def test_a_record_with_its_command_is_left_alone(bench):
    await request(bench, id="one")
    await bench.clock.advance(300)
    await bench.sweeping.sweep()
    assert (await bench.store.get("one")).phase is Phase.QUEUED


async def test_a_request_repeated_after_the_records_were_lost_waits_for_nothing(bench):
    await request(bench, id="one")
    job = await bench.store.get("one")
    done = {"phase": Phase.READY, "serving": "qwen", "finished_at": bench.clock.now()}
    await bench.outcomes.publish(job.model_copy(update=done))
    bench.store.forget()
    assert (await request(bench, id="one")).phase is Phase.QUEUED
    await bench.clock.advance(31)
    await bench.sweeping.sweep()
    assert (await bench.store.get("one")).phase is Phase.READY
    assert await bench.store.live() == []
    assert len(stored(bench, "SC_SWAP_EVT")) == 1


async def dry_run(bench, **more):
    """Plan on the test's clock."""
    asked = asyncio.create_task(request(bench, dry_run=True, **more))
    await bench.until(asked.done)
    return await asked


async def test_a_dry_run_says_what_would_happen_and_leaves_no_trace(bench):
    view = await dry_run(bench)
    assert (view.dry_run, view.phase, view.cause) == (True, Phase.PREFLIGHT, None)
    assert (view.previous, view.serving) == ("gemma", "gemma")
    assert view.finished_at is not None
    assert any("vllm serve org/qwen" in step for step in view.plan)
    assert any("Stop gemma-served" in step for step in view.plan)
    assert stored(bench, "SC_SWAP_CMD") == []
    assert await bench.store.recent(10) == []
    assert bench.runtime.journal == []


async def test_a_dry_run_of_what_would_fail_says_why(bench):
    bench.preflight.result = PreflightResult("bad", "no such flag.", ("--foo",))
    view = await dry_run(bench)
    assert view.cause.code == "bad_arguments"
    assert view.plan
    bench.gate.take("nightly-batch", "secret")
    bench.preflight.result = PreflightResult("unknown", "docker is busy")
    view = await dry_run(bench)
    assert view.cause.code == "lease_held"
    assert any("docker is busy" in step for step in view.plan)
    assert (await dry_run(bench, override_lease=True)).cause is None


async def test_a_dry_run_is_possible_while_a_swap_runs_and_for_the_loaded_model(bench):
    await bench.observer.look()
    await request(bench, id="one")
    assert (await dry_run(bench, model="gemma")).model == "gemma"


async def test_cancelling_what_waits_ends_it_at_once(bench):
    cancelling = asyncio.create_task(bench.cancelling.run())
    await request(bench, id="one")
    await bench.handlers.cancel_swap(CancelSwap(id="one", requested_by="Bob"))
    await bench.until(lambda: stored(bench, "SC_SWAP_EVT") != [])
    view = await bench.handlers.get_swap(GetSwap(id="one"))
    assert (view.phase, view.cause.code) == (Phase.CANCELLED, "cancelled")
    assert (await bench.handlers.cancel_swap(CancelSwap(id="one"))).phase is Phase.CANCELLED
    cancelling.cancel()


async def test_cancelling_what_is_not_there_is_not_found(bench):
    with pytest.raises(NotFoundError):
        await bench.handlers.cancel_swap(CancelSwap(id="nope"))


async def test_cancelling_needs_the_bus(bench):
    await request(bench, id="one")
    bench.broker.down()
    with pytest.raises(OutcomeUnknownError):
        await bench.handlers.cancel_swap(CancelSwap(id="one"))


async def test_the_list_tells_running_waiting_and_past(bench):
    await request(bench, id="one")
    await bench.clock.advance(1)
    await request(bench, "gemma", id="two", when_busy="queue")
    swaps = await bench.handlers.list_swaps(ListSwaps())
    assert swaps.current.id == "one"
    assert [view.id for view in swaps.queue] == ["two"]
    assert [view.id for view in swaps.recent] == ["two", "one"]


async def test_a_waiting_swap_says_how_many_are_before_it(bench):
    await request(bench, id="one")
    for number, name in enumerate(("two", "three"), start=1):
        await bench.clock.advance(1)
        view = await request(bench, "gemma", id=name, when_busy="queue", requested_by=name)
        assert view.queue_position == number
    swaps = await bench.handlers.list_swaps(ListSwaps())
    assert [(view.id, view.queue_position) for view in swaps.queue] == [("two", 1), ("three", 2)]
    view = await bench.handlers.get_swap(GetSwap(id="three"))
    assert (view.queue_position, view.message) == (
        2,
        "Waiting for its turn: 2 swaps are before it.",
    )
    await bench.cancelling._end_queued("two", "Bob")
    view = await bench.handlers.get_swap(GetSwap(id="three"))
    assert (view.queue_position, view.message) == (1, "Waiting for its turn: 1 swap is before it.")
    view = await bench.handlers.get_swap(GetSwap(id="two"))
    assert (view.phase, view.queue_position) == (Phase.CANCELLED, None)
    assert (await bench.handlers.get_swap(GetSwap(id="one"))).queue_position is None


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
    assert len(stored(ingress, "SC_SWAP_CMD")) == 1


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
    (rejected,) = stored(ingress, "SC_SWAP_ADM")
    assert rejected.subject == "swap.rejected.ing-1"
    assert rejected.envelope.data["code"] == "invalid_request"
    assert named in rejected.envelope.data["message"]
    assert "maybe" not in rejected.envelope.data["message"]
    assert len(stored(ingress, "SC_DLQ")) == 1
    await publish(ingress, {"model": "qwen", "id": "good"})
    assert await ingress.store.get("good") is not None


async def test_a_refused_request_is_told_with_its_code(ingress):
    await request(ingress, id="one")
    await publish(ingress, {"model": "gemma", "id": "two"})
    rejected = stored(ingress, "SC_SWAP_ADM", "swap.rejected.two")
    assert [message.envelope.data["code"] for message in rejected] == ["swap_in_progress"]


async def deliver_again(bench):
    """Let the whole history of requests come once more."""
    bench.broker.stream("SC_INGRESS").consumer("swapper-ingress").next_seq = 1
    bench.broker.touch()
    await bench.clock.advance(1)


async def test_a_request_that_was_refused_stays_refused_when_it_comes_again(ingress):
    await request(ingress, id="one")
    await publish(ingress, {"model": "gemma", "id": "two"})
    one = await ingress.store.get("one")
    ended = one.enter(Phase.CANCELLED, ingress.clock.now(), "x")
    await ingress.store.finish(ended, one.revision, 0)
    await deliver_again(ingress)
    assert await ingress.store.get("two") is None
    assert len(stored(ingress, "SC_SWAP_ADM", "swap.rejected.two")) == 1
    await publish(ingress, {"model": "gemma", "id": "two"})
    assert (await ingress.store.get("two")).phase is Phase.QUEUED


async def test_the_same_message_delivered_again_is_the_same_swap(ingress):
    await publish(ingress, {"model": "qwen"})
    await deliver_again(ingress)
    assert len(stored(ingress, "SC_SWAP_CMD")) == 1
    assert stored(ingress, "SC_SWAP_ADM", "swap.rejected.ing-1") == []


async def test_an_automation_is_patient_while_redis_is_away(ingress):
    ingress.store.away = True
    await publish(ingress, {"model": "qwen", "id": "one"})
    await ingress.clock.advance(60)
    assert stored(ingress, "SC_SWAP_ADM") == []
    ingress.store.away = False
    await ingress.clock.advance(5)
    assert (await ingress.store.get("one")).phase is Phase.QUEUED


async def test_an_automation_may_ask_for_force_and_does_not_get_it_unasked(ingress):
    await publish(ingress, {"model": "qwen", "id": "one", "when_busy": "queue"})
    await publish(ingress, {"model": "gemma", "id": "two", "when_busy": "queue", "force": True})
    await ingress.clock.advance(5)
    assert (await ingress.store.get("one")).force is False
    assert (await ingress.store.get("two")).force is True
    commands = [message.envelope.data["force"] for message in stored(ingress, "SC_SWAP_CMD")]
    assert commands == [False, True]


async def test_a_dry_run_by_event_is_answered_as_one(ingress):
    await publish(ingress, {"model": "qwen", "id": "one", "dry_run": True})
    await ingress.clock.advance(5)
    (told,) = stored(ingress, "SC_SWAP_EVT")
    assert told.subject == "swap.complete.one:dry-run"
    assert (told.envelope.data["swap_id"], told.envelope.data["dry_run"]) == ("one", True)
    assert ingress.runtime.journal == []


async def test_after_a_dry_run_by_event_the_same_id_may_really_swap(ingress):
    await publish(ingress, {"model": "qwen", "id": "one", "dry_run": True})
    await ingress.clock.advance(5)
    await publish(ingress, {"model": "qwen", "id": "one", "dry_run": True})
    await ingress.clock.advance(5)
    assert len(stored(ingress, "SC_SWAP_EVT")) == 2
    await publish(ingress, {"model": "qwen", "id": "one"})
    working = asyncio.create_task(ingress.worker.run())
    telling = asyncio.create_task(ingress.teller.run())
    await ingress.until(lambda: len(stored(ingress, "SC_SWAP_EVT")) == 3)
    told = stored(ingress, "SC_SWAP_EVT")[-1]
    assert (told.subject, told.envelope.data["dry_run"]) == ("swap.complete.one", False)
    assert ingress.runtime.loaded == "qwen"
    await ingress.until(lambda: ingress.worker.running is None)
    assert (await ingress.store.get("one")).phase is Phase.READY
    for task in (working, telling):
        task.cancel()
    await asyncio.gather(working, telling, return_exceptions=True)
