"""Swaps because of requests that do not come: why not, in plain words, and when to ask again."""

import json

import pytest
from gateway_stand.asker import Asker, asked, quiet

from spark_common.contracts.swaps import Phase
from spark_common.errors import (
    JobInProgressError,
    LeaseHeldError,
    ModelNotReadyError,
    QuarantinedError,
    ServiceUnavailableError,
)
from spark_gateway.dataplane.ports import Choice


async def test_a_lease_that_is_known_is_not_even_asked_about(cluster):
    cluster.hold_lease()
    request = Asker(cluster, "new")
    await quiet()
    assert request.code == "gpu_reserved"
    assert json.loads(request.answer.body)["reservation"]["holder"] == "Alice"
    assert b"secret" not in request.answer.body
    assert request.retries() == b"false"
    assert cluster.bus.asked == []
    cluster.lease = None
    cluster.picture()
    Asker(cluster, "new")
    await quiet()
    assert asked(cluster) == ["new"]


async def test_a_lease_taken_meanwhile_ends_the_wait(cluster, meters):
    meters.upstream("llm").taken_on("old")
    request = Asker(cluster, "new")
    await quiet()
    assert request.answer is None
    cluster.hold_lease(seconds=20)
    assert request.code == "gpu_reserved"
    assert request.retries() == b"true"


REFUSALS = [
    (
        LeaseHeldError("held", holder="Bob", remaining_seconds=900, state="held"),
        "gpu_reserved",
        b"false",
        "reserved by Bob",
    ),
    (
        LeaseHeldError("held", holder=None, state="promised"),
        "gpu_reserved",
        b"false",
        "reserved by somebody",
    ),
    (JobInProgressError("it is being updated"), "model_not_loaded", b"true", "being updated"),
    (ModelNotReadyError("it is not whole"), "model_not_loaded", b"false", "not whole"),
    (QuarantinedError("it took a Spark down"), "model_not_loaded", b"false", "took a Spark down"),
    (ServiceUnavailableError("nobody is there"), "model_not_loaded", b"true", "nobody is there"),
]


@pytest.mark.parametrize(("error", "code", "again", "said"), REFUSALS)
async def test_a_refusal_of_the_swapper_is_told_and_not_asked_for_again_at_once(
    cluster, error, code, again, said
):
    cluster.bus.answers = [error]
    requests = [Asker(cluster, "new") for _ in range(3)]
    await quiet()
    requests.append(Asker(cluster, "new"))
    for request in requests:
        assert request.code == code
        assert said in request.message
        assert request.retries() == again
    assert len(cluster.bus.asked) == 1
    cluster.clock.skip(3)
    assert Asker(cluster, "new").answer is None
    await quiet()
    assert len(cluster.bus.asked) == 2


async def test_without_the_bus_the_answer_comes_at_once_and_the_loaded_model_serves(cluster):
    cluster.bus.connected = False
    request = Asker(cluster, "new")
    assert request.code == "model_not_loaded"
    assert request.retries() == b"true"
    assert "the event bus does not answer" in request.message
    assert isinstance(Asker(cluster, "old").answer, Choice)


async def test_a_load_that_failed_is_told_and_not_tried_again_for_a_while(cluster):
    request = Asker(cluster, "new")
    await quiet()
    cluster.begin(swap_id=cluster.bus.asked[0].id)
    cluster.end("rolled_back", "old")
    assert request.code == "model_load_failed"
    assert request.retries() == b"false"
    again = Asker(cluster, "new")
    await quiet()
    assert again.code == "model_load_failed"
    assert len(cluster.bus.asked) == 1
    assert isinstance(Asker(cluster, "old").answer, Choice)
    cluster.clock.skip(301)
    assert Asker(cluster, "new").answer is None
    await quiet()
    assert len(cluster.bus.asked) == 2


async def test_a_load_that_was_cancelled_is_not_begun_again_by_the_next_request(cluster):
    cluster.begin("new")
    cluster.end("cancelled", "old")
    assert Asker(cluster, "new").code == "model_load_cancelled"
    cluster.clock.skip(301)
    assert Asker(cluster, "new").answer is None


async def test_a_model_that_did_not_finish_in_time_bars_no_other_and_is_tried_again(cluster):
    request = Asker(cluster, "new")
    await quiet()
    first = cluster.bus.asked[0].id
    cluster.begin(swap_id=first, phase=Phase.DRAINING)
    cluster.end("failed", "old", code="still_answering")
    late = Asker(cluster, "new")
    assert (request.answer, late.answer) == (None, None)
    cluster.pass_time(118)
    await quiet()
    assert len(cluster.bus.asked) == 1
    cluster.pass_time(3)
    await quiet()
    assert asked(cluster) == ["new", "new"]
    assert cluster.bus.asked[1].id != first
    cluster.begin(swap_id=cluster.bus.asked[1].id)
    cluster.end()
    assert isinstance(request.answer, Choice)
    assert isinstance(late.answer, Choice)


async def test_who_waits_for_somebody_elses_swap_hears_that_it_did_not_begin(cluster):
    cluster.change(swap_on_demand=False)
    cluster.begin("new", phase=Phase.DRAINING)
    request = Asker(cluster, "new")
    cluster.end("failed", "old", code="still_answering")
    assert request.code == "model_load_failed"


async def test_an_end_that_came_before_anything_else_was_heard_counts(cluster):
    request = Asker(cluster, "new")
    await quiet()
    cluster.begin(swap_id=cluster.bus.asked[0].id, phase=Phase.QUEUED)
    assert request.answer is None
    cluster.end("failed", "old", told=False)
    assert request.code == "model_load_failed"
