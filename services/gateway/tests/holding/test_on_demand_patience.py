"""Swaps because of requests in their time: who stays, who waits for whom, and how long."""

import asyncio

from gateway_stand.asker import Asker, asked, quiet
from gateway_stand.holding import CHAT

from spark_gateway.dataplane.free import ANYBODY
from spark_gateway.dataplane.ports import Upstream

MODELS = Upstream("127.0.0.1", 1)


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
