"""Swaps because of requests: asked for once, whoever else asks, and told to all who wait."""

import pytest
from gateway_stand.asker import Asker, asked, quiet
from gateway_stand.holding import CHAT, Cluster

from spark_common.errors import (
    AlreadyLoadedError,
    DeadlineExceededError,
    IdempotencyConflictError,
    SwapInProgressError,
)
from spark_gateway.dataplane.choosing import ModelChooser
from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.meters import Meters
from spark_gateway.dataplane.ports import Choice


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


async def test_an_answer_that_is_lost_is_asked_for_again_with_the_same_id(cluster):
    cluster.bus.answers = [DeadlineExceededError("late"), None]
    request = Asker(cluster, "new")
    await quiet()
    one, two = cluster.bus.asked
    assert one == two
    cluster.begin(swap_id=one.id)
    cluster.end()
    assert isinstance(request.answer, Choice)


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


async def test_without_holding_it_waits_for_its_own_swaps_only(cluster):
    cluster.change(hold_requests=False)
    request = Asker(cluster, "new")
    await quiet()
    cluster.begin(swap_id=cluster.bus.asked[0].id)
    assert Asker(cluster, "auto").code == "model_loading"
    cluster.end()
    assert isinstance(request.answer, Choice)


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
