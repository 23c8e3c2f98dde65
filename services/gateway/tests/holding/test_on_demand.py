"""Swaps because of requests: asked for once, when nothing says no, and told in plain words else."""

import asyncio
import json

import pytest
from gateway_stand.holding import CHAT, Asker, Cluster

from spark_common.contracts.swaps import Phase
from spark_common.errors import (
    AlreadyLoadedError,
    DeadlineExceededError,
    IdempotencyConflictError,
    JobInProgressError,
    LeaseHeldError,
    ModelNotReadyError,
    QuarantinedError,
    ServiceUnavailableError,
    SwapInProgressError,
)
from spark_gateway.dataplane.choosing import ModelChooser
from spark_gateway.dataplane.free import ANYBODY
from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.meters import Meters
from spark_gateway.dataplane.ports import Choice, Upstream

MODELS = Upstream("127.0.0.1", 1)


@pytest.fixture
def meters():
    return Meters()


@pytest.fixture
def cluster(meters):
    made = Cluster(None, meters)
    made.change(swap_on_demand=True)
    return made


async def quiet():
    for _ in range(10):
        await asyncio.sleep(0)


def asked(cluster):
    return [request.model for request in cluster.bus.asked]


async def test_off_nothing_is_asked(cluster):
    cluster.change(swap_on_demand=False)
    request = Asker(cluster, "new")
    await quiet()
    assert request.code == "model_not_loaded"
    assert cluster.bus.asked == []


@pytest.mark.parametrize("name", ["new", "new-served", "Org/new", "quick"])
async def test_a_request_brings_its_model_and_is_answered(cluster, name):
    request = Asker(cluster, name)
    await quiet()
    (swap,) = cluster.bus.asked
    assert (swap.model, swap.rollback, swap.when_busy) == ("new", True, "reject")
    assert swap.requested_by == "on demand"
    cluster.begin(swap_id=swap.id)
    assert request.answer is None
    cluster.end()
    assert isinstance(request.answer, Choice)
    assert len(cluster.bus.asked) == 1


async def test_it_is_told_because_of_whom(cluster):
    Asker(cluster, "new", label="Alice's laptop")
    await quiet()
    Asker(cluster, "new", label="Bob")
    cluster.pass_time(61)
    await quiet()
    one, two = cluster.bus.asked
    assert (one.requested_by, two.requested_by) == ("on demand (Alice's laptop)",) * 2
    # The swapper compares what is asked under one id.
    assert one == two


async def test_two_askers_are_two_questions(cluster):
    other = Cluster(None, Meters())
    other.change(swap_on_demand=True)
    Asker(cluster, "new", label="Alice")
    Asker(other, "new", label="x" * 300)
    await quiet()
    assert cluster.bus.asked[0].id != other.bus.asked[0].id
    assert len(other.bus.asked[0].requested_by) == 200


async def test_many_requests_are_one_swap_and_all_are_answered(cluster):
    requests = [Asker(cluster, "new") for _ in range(20)]
    await quiet()
    requests += [Asker(cluster, "quick") for _ in range(5)]
    await quiet()
    (swap,) = cluster.bus.asked
    cluster.begin(swap_id=swap.id)
    cluster.end()
    assert all(isinstance(request.answer, Choice) for request in requests)
    assert len(cluster.bus.asked) == 1


async def test_a_running_swap_is_joined(cluster):
    cluster.begin("new")
    request = Asker(cluster, "new")
    await quiet()
    cluster.end()
    assert isinstance(request.answer, Choice)
    assert cluster.bus.asked == []


async def test_two_gateways_ask_for_one_swap(cluster):
    other = Cluster(None, Meters())
    other.change(swap_on_demand=True)
    for each in (cluster, other):
        each.begin("third", swap_id="before")
        each.end()
        each.clock.skip(1000)
        Asker(each, "new")
    await quiet()
    (one,), (two,) = cluster.bus.asked, other.bus.asked
    assert one.id == two.id
    other.begin("new", swap_id=two.id)
    other.end("failed", "third")
    other.clock.skip(1000)
    Asker(other, "new")
    await quiet()
    assert other.bus.asked[1].id != two.id


@pytest.mark.parametrize(
    "error",
    [
        SwapInProgressError("one runs"),
        AlreadyLoadedError("it is"),
        IdempotencyConflictError("asked for by another"),
    ],
)
async def test_who_was_not_first_joins(cluster, error):
    cluster.bus.answers = [error]
    request = Asker(cluster, "new")
    await quiet()
    assert request.answer is None
    cluster.begin("new", swap_id="another's")
    cluster.end()
    assert isinstance(request.answer, Choice)


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        (b"GET", CHAT, "new"),
        (b"POST", b"/v1/embeddings", "new"),
        (b"POST", b"/v1/messages/count_tokens", "new"),
        (b"POST", b"/tokenize", "new"),
        (b"POST", CHAT, "nobody-has-this"),
        (b"POST", CHAT, "old"),
        (b"POST", CHAT, "auto"),
        (b"POST", CHAT, "gpt-4o"),
        (b"POST", CHAT, None),
    ],
)
async def test_what_brings_no_model(cluster, method, path, name):
    Asker(cluster, name, path, method)
    await quiet()
    assert cluster.bus.asked == []


async def test_auto_is_never_a_swap_even_with_nothing_loaded(cluster):
    cluster.loaded = None
    cluster.seen()
    cluster.picture()
    requests = [Asker(cluster, name) for name in ("auto", "gpt-4o", None)]
    await quiet()
    assert [request.code for request in requests] == ["no_model_loaded"] * 3
    assert cluster.bus.asked == []
    Asker(cluster, "new")
    await quiet()
    assert asked(cluster) == ["new"]


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


async def test_an_answer_that_is_lost_is_asked_for_again_with_the_same_id(cluster):
    cluster.bus.answers = [DeadlineExceededError("late"), None]
    request = Asker(cluster, "new")
    await quiet()
    one, two = cluster.bus.asked
    assert one == two
    cluster.begin(swap_id=one.id)
    cluster.end()
    assert isinstance(request.answer, Choice)


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


async def test_a_swap_that_never_shows_is_asked_for_again(cluster):
    request = Asker(cluster, "new")
    await quiet()
    cluster.pass_time(30)
    await quiet()
    assert len(cluster.bus.asked) == 1
    cluster.pass_time(31)
    await quiet()
    one, two = cluster.bus.asked
    assert one.id == two.id
    assert request.answer is None


async def test_a_model_stays_for_a_while_before_another_request_replaces_it(cluster):
    cluster.begin("new")
    cluster.end()
    request = Asker(cluster, "old")
    cluster.pass_time(118)
    await quiet()
    assert cluster.bus.asked == []
    cluster.pass_time(3)
    await quiet()
    assert asked(cluster) == ["old"]
    assert request.answer is None


async def test_who_cannot_wait_until_the_model_may_go_hears_it_at_once(cluster):
    cluster.begin("new")
    cluster.end()
    request = Asker(cluster, "old", fields=[(b"Prefer", b"wait=30")])
    assert request.code == "model_not_loaded"
    assert request.retries() == b"true"
    assert dict(request.answer.headers)[b"retry-after"] == b"60"
    assert "stays for at least another 1" in request.message


async def test_the_loaded_model_may_finish_but_not_for_ever(cluster, meters):
    meters.upstream("llm").taken_on("old")
    Asker(cluster, "new")
    cluster.pass_time(59)
    await quiet()
    assert cluster.bus.asked == []
    cluster.pass_time(2)
    await quiet()
    assert asked(cluster) == ["new"]


async def test_a_line_before_the_loaded_model_says_no(cluster):
    cluster.queue = cluster.queue.model_copy(update={"model_requests_at_once": 1})
    inside, waits = (cluster.turnstile.enter(ANYBODY, MODELS, CHAT, lambda _: None) for _ in "ab")
    request = Asker(cluster, "new")
    cluster.pass_time(500)
    await quiet()
    assert cluster.bus.asked == []
    waits.leave()
    inside.leave()
    cluster.pass_time(1)
    await quiet()
    assert asked(cluster) == ["new"]
    assert request.answer is None


async def test_who_waits_in_vain_is_told_when_the_time_is_over(cluster):
    cluster.queue = cluster.queue.model_copy(update={"model_requests_at_once": 1})
    for _ in "ab":
        cluster.turnstile.enter(ANYBODY, MODELS, CHAT, lambda _: None)
    request = Asker(cluster, "new")
    cluster.pass_time(541)
    assert request.code == "model_not_loaded"
    assert request.retries() == b"true"
    assert "waited 54" in request.message
    assert not len(cluster.holding.room)


async def test_those_who_wait_are_served_in_batches(cluster):
    """A B A B is A A B B: each model comes once for all who wait for it."""
    cluster.begin("third", swap_id="s0")
    requests = [Asker(cluster, name) for name in ("new", "old", "new", "old", "new")]
    await quiet()
    assert cluster.bus.asked == []
    cluster.end()
    served = []
    for _ in range(2):
        cluster.pass_time(121)
        await quiet()
        swap = cluster.bus.asked[-1]
        cluster.begin(swap.model, swap_id=swap.id)
        cluster.end()
        served.append(swap.model)
        for request in requests:
            assert (request.answer is not None) == (request.model in served)
    assert sorted(served) == ["new", "old"]
    assert len(cluster.bus.asked) == 2


async def test_a_client_that_leaves_before_it_is_worth_it_brings_nothing(cluster, meters):
    meters.upstream("llm").taken_on("old")
    request = Asker(cluster, "new")
    request.stay.leave()
    cluster.pass_time(100)
    await quiet()
    assert cluster.bus.asked == []
    assert cluster.holding.room.bytes == 0


async def test_switched_off_it_lets_those_go_who_wait(cluster, meters):
    meters.upstream("llm").taken_on("old")
    request = Asker(cluster, "new")
    cluster.change(swap_on_demand=False)
    cluster.pass_time(1)
    assert request.code == "model_not_loaded"
    assert cluster.bus.asked == []


async def test_without_holding_it_waits_for_its_own_swaps_only(cluster):
    cluster.change(hold_requests=False)
    request = Asker(cluster, "new")
    await quiet()
    cluster.begin(swap_id=cluster.bus.asked[0].id)
    assert Asker(cluster, "auto").code == "model_loading"
    cluster.end()
    assert isinstance(request.answer, Choice)


async def test_the_time_is_looked_at_by_itself_and_ends_with_the_gateway(cluster, meters):
    meters.upstream("llm").taken_on("old")
    cluster.bus.gate = asyncio.Event()
    request = Asker(cluster, "new", fields=[(b"Prefer", b"wait=70")])
    running = asyncio.create_task(cluster.holding.run())
    await cluster.clock.advance(62)
    assert asked(cluster) == ["new"]
    assert request.answer is None
    assert cluster.news.held[-1] == 1
    await cluster.clock.advance(10)
    assert request.code == "model_not_loaded"
    assert cluster.news.held[-1] == 0
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(asyncio.all_tasks()) == 1


async def test_who_may_wait_is_not_even_asked_while_the_model_is_there(cluster):
    def never(head):
        raise AssertionError("asked for nothing")

    parts = cluster.chooser
    cluster.chooser = ModelChooser(
        parts._router, parts._upstreams, parts._catalogue, parts._reservation, parts._loaded, never
    )
    head = RequestHead(b"POST", CHAT, CHAT, [], length=9)
    assert cluster.chooser.at_head(head) is None
    assert isinstance(Asker(cluster, "old").answer, Choice)
    cluster.begin()
    with pytest.raises(AssertionError, match="asked for nothing"):
        cluster.chooser.at_head(head)
