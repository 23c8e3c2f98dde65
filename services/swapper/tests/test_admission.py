"""Who gets in over the bus, and what the rest is told."""

import asyncio

import pytest

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
from spark_swapper.ports import PreflightResult


async def request(bench, model="qwen", **more):
    return await bench.handlers.request_swap(RequestSwap(model=model, **more))


async def test_an_admitted_swap_is_recorded_commanded_and_told(bench):
    view = await request(bench, requested_by="Alice", rollback=True, id="one")
    assert (view.phase, view.model, view.rollback) == (Phase.QUEUED, "qwen", True)
    (command,) = bench.stored("SC_SWAP_CMD", "swap.requested.one")
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
    (accepted,) = bench.stored("SC_SWAP_ADM")
    assert accepted.subject == "swap.accepted.one"


async def test_a_repetition_gets_the_same_swap_and_stores_nothing_more(bench):
    await request(bench, id="one")
    assert (await request(bench, id="one")).id == "one"
    assert len(bench.stored("SC_SWAP_CMD")) == 1


async def test_the_same_id_for_another_request_is_refused(bench):
    await request(bench, id="one")
    with pytest.raises(IdempotencyConflictError):
        await request(bench, "gemma", id="one")


async def test_a_double_click_is_one_swap(bench):
    views = await asyncio.gather(*(request(bench, id="click") for _ in range(5)))
    assert {view.id for view in views} == {"click"}
    assert len(bench.stored("SC_SWAP_CMD")) == 1


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
    messages = b"".join(message.payload for message in bench.stored("SC_SWAP_CMD"))
    assert "secret" not in record + messages.decode() + view.model_dump_json()


async def test_a_person_may_swap_through_a_lease_which_is_told(bench):
    epoch = bench.gate.take("nightly-batch", "secret")
    for _ in range(2):
        await request(bench, override_lease=True, requested_by="Owner", id="mine")
    (command,) = bench.stored("SC_SWAP_CMD")
    assert command.envelope.data["override_lease"] is True
    assert command.envelope.data["lease_epoch"] == epoch
    assert bench.gate.through == [("mine", "Owner")]


async def test_the_holder_needs_no_override_and_nothing_is_told(bench):
    bench.gate.take("nightly-batch", "secret")
    await request(bench, lock_token="secret", override_lease=True)
    (command,) = bench.stored("SC_SWAP_CMD")
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
    assert len(bench.stored("SC_SWAP_CMD")) == 1


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
    assert len(bench.stored("SC_SWAP_EVT", "swap.failed.one")) == 1


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
    assert len(bench.stored("SC_SWAP_EVT")) == 1


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
    assert bench.stored("SC_SWAP_CMD") == []
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
    await bench.until(lambda: bench.stored("SC_SWAP_EVT") != [])
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
