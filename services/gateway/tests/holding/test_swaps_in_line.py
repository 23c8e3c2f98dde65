"""Requests for a model whose swap waits for its turn: held until it ran, within the same bounds."""

import asyncio
import json

import pytest
from gateway_stand.asker import Asker
from gateway_stand.holding import Cluster

from spark_common.contracts.swaps import Phase, SwapView
from spark_gateway.dataplane.meters import Meters
from spark_gateway.dataplane.ports import Choice
from spark_gateway.dataplane.watch import Served
from spark_gateway.served import ServedModel


@pytest.fixture
def cluster():
    return Cluster(None, Meters())


def in_line(cluster, model="new", swap_id="s2"):
    """A swap to a model waits behind the one that runs."""
    cluster.queued = [
        SwapView(
            id=swap_id,
            model=model,
            model_name=model,
            requested_by="Bob",
            phase=Phase.QUEUED,
            created_at=cluster.clock.now(),
        )
    ]
    cluster.picture()


def its_turn(cluster):
    (view,) = cluster.queued
    cluster.queued = []
    cluster.begin(view.model, swap_id=view.id)


async def test_it_is_held_through_the_swap_before_and_answered_after_its_own(cluster):
    cluster.begin("third", swap_id="s1")
    assert Asker(cluster, "new").code == "model_loading"
    in_line(cluster)
    request, other = Asker(cluster, "new"), Asker(cluster, "third")
    assert (request.answer, other.answer) == (None, None)
    cluster.end()
    assert isinstance(other.answer, Choice)
    cluster.pass_time(20)
    assert request.answer is None
    its_turn(cluster)
    assert request.answer is None
    cluster.end()
    assert isinstance(request.answer, Choice)
    assert request.answers == 1


async def test_an_event_is_enough_and_nobody_else_waits_for_it(cluster):
    cluster.begin("third", swap_id="s1")
    running = cluster.swap
    cluster.swap = running.model_copy(update={"id": "s2", "model": "new", "phase": Phase.QUEUED})
    cluster.step()
    cluster.swap = running
    assert Asker(cluster, "new").answer is None
    assert Asker(cluster, "old").code == "model_loading"
    assert Asker(cluster, "auto").answer is None


async def test_while_the_old_model_serves_on_it_is_served_and_the_queued_one_is_awaited(cluster):
    in_line(cluster)
    assert isinstance(Asker(cluster, "old").answer, Choice)
    assert isinstance(Asker(cluster, "auto").answer, Choice)
    assert Asker(cluster, "new").answer is None


@pytest.mark.parametrize(
    ("how", "code"), [("cancelled", "model_load_cancelled"), ("failed", "model_load_failed")]
)
async def test_how_a_swap_in_line_ended_is_told_though_it_never_ran(cluster, how, code):
    cluster.begin("third", swap_id="s1")
    in_line(cluster)
    request = Asker(cluster, "new")
    (view,) = cluster.queued
    cluster.queued, cluster.swap, before = [], view, cluster.swap
    cluster.end(how, "old")
    assert request.code == code
    cluster.swap = before


async def test_who_does_not_wait_hears_that_it_is_in_line(cluster):
    in_line(cluster)
    for fields in ([(b"Prefer", b"wait=0")],):
        request = Asker(cluster, "new", fields=fields)
        assert (request.code, request.retries()) == ("model_loading", b"true")
        loading = json.loads(request.answer.body)["loading"]
        assert loading == {
            "model": "new", "state": "loading", "phase": "queued", "swap_id": "s2",
        }  # fmt: skip


async def test_the_bounds_are_those_of_every_other_wait(cluster):
    cluster.change(hold_longest_seconds=100.0, hold_most=1)
    in_line(cluster)
    request = Asker(cluster, "new")
    assert Asker(cluster, "new").code == "server_busy"
    for _ in range(10):
        cluster.pass_time(11)
        cluster.picture()
    assert request.code == "model_not_loaded"
    assert not len(cluster.holding.room)


async def test_a_line_that_nobody_spoke_of_for_long_is_not_believed_in(cluster):
    in_line(cluster)
    cluster.clock.skip(121)
    assert Asker(cluster, "new").code == "model_not_loaded"


async def test_on_demand_asks_for_nothing_that_is_in_line(cluster):
    cluster.change(swap_on_demand=True)
    in_line(cluster)
    request = Asker(cluster, "new")
    cluster.pass_time(30)
    await asyncio.sleep(0)
    assert cluster.bus.asked == []
    its_turn(cluster)
    cluster.end()
    assert isinstance(request.answer, Choice)


def accepted(cluster, model="new", phase=Phase.QUEUED, **more):
    """The answer to a client of this gateway that asked for a swap."""
    view = SwapView(
        id="s2",
        model=model,
        model_name=model,
        requested_by="Bob",
        phase=phase,
        created_at=cluster.clock.now(),
        **more,
    )
    for listener in cluster.news.accepted:
        listener(view)
    return view


async def test_an_accepted_swap_is_awaited_before_anybody_speaks_of_it(cluster):
    view = accepted(cluster)
    request = Asker(cluster, "new")
    cluster.picture()  # it was asked for earlier and knows nothing of the swap
    late = Asker(cluster, "new")
    assert (request.answer, late.answer) == (None, None)
    assert isinstance(Asker(cluster, "old").answer, Choice)
    cluster.begin(view.model, swap_id=view.id)
    cluster.end()
    assert isinstance(request.answer, Choice)
    assert isinstance(late.answer, Choice)


async def test_an_accepted_swap_that_never_ran_is_no_longer_awaited(cluster):
    cluster.swap = accepted(cluster)
    request = Asker(cluster, "new")
    cluster.end("cancelled", "old")
    assert request.code == "model_load_cancelled"
    assert Asker(cluster, "new").code == "model_not_loaded"
    accepted(cluster)
    assert Asker(cluster, "new").code == "model_not_loaded"


async def test_an_accepted_swap_of_which_no_news_come_is_soon_not_believed_in(cluster):
    accepted(cluster)
    cluster.clock.skip(11)
    assert Asker(cluster, "new").code == "model_not_loaded"


async def test_asking_twice_for_a_swap_tells_how_it_stands(cluster):
    accepted(cluster, phase=Phase.LOADING, previous="old")
    assert Asker(cluster, "new").answer is None
    accepted(cluster, model="third", dry_run=True)
    assert Asker(cluster, "third").code == "model_not_loaded"


EMBED = b"/v1/embeddings"


async def test_a_model_of_the_menu_may_be_served_beside_by_who_has_not_said_so(cluster):
    # The embedding server was not heard of yet, and its model lies on the Sparks like any other.
    assert isinstance(Asker(cluster, "new", EMBED).answer, Choice)
    cluster.beside = Served("serving", (ServedModel("bge-m3", 1),))
    assert Asker(cluster, "new", EMBED).code == "model_not_loaded"
    cluster.beside = Served("idle")
    assert isinstance(Asker(cluster, "new", EMBED).answer, Choice)
