"""What both buses promise about durable work."""

import asyncio
import json

import pytest

from spark_common.bus.port import Bus, Delivery
from spark_common.events import SwapCancel, SwapRequested, SwapStart
from spark_common.testing.wait import until

START = SwapStart(swap_id="x", model="m", requested_by="alice", lease_epoch=0)


async def order(bus: Bus, *swap_ids: str) -> None:
    for swap_id in swap_ids:
        await bus.publish_durable(f"swap.requested.{swap_id}", START, id=swap_id)


async def take(bus: Bus, durable: str = "swapper", stream: str = "SC_SWAP_CMD") -> Delivery:
    work = bus.work(stream, durable)
    try:
        return await anext(work)
    finally:
        await work.aclose()


async def test_commands_come_one_after_the_other(world) -> None:
    bus = await world.join("swapper")
    await order(bus, "a", "b", "c")
    taken = []
    work = bus.work("SC_SWAP_CMD", "swapper")
    async for delivery in work:
        taken.append((delivery.message.subject, delivery.attempt))
        await delivery.done()
        if len(taken) == 3:
            break
    await work.aclose()
    assert taken == [("swap.requested.a", 1), ("swap.requested.b", 1), ("swap.requested.c", 1)]


@pytest.mark.parametrize("ack_wait_seconds", [4.0])
async def test_the_second_waits_until_the_first_is_settled(world) -> None:
    bus, twin = await world.join("swapper"), await world.join("swapper")
    await order(bus, "a", "b")
    first = await take(bus)
    second = asyncio.create_task(take(twin))
    for _ in range(10):
        # Longer in all than what is not settled stays away; far less between two signs of life.
        await first.heartbeat()
        done, _ = await asyncio.wait({second}, timeout=0.5)
        assert not done
    await first.done()
    assert (await second).message.subject == "swap.requested.b"


@pytest.mark.parametrize("ack_wait_seconds", [1.0])
async def test_what_is_not_settled_comes_again(world) -> None:
    bus = await world.join("swapper")
    await order(bus, "a")
    first = await take(bus)
    second = await take(bus)
    assert (first.attempt, second.attempt) == (1, 2)
    assert first.message == second.message
    await second.done()


async def test_what_is_given_back_comes_again_after_the_delay(world) -> None:
    bus = await world.join("swapper")
    await order(bus, "a")
    await (await take(bus)).retry(0.2)
    again = await take(bus)
    assert again.attempt == 2
    await again.done()


async def test_what_is_dropped_is_readable_among_the_dead_letters(world) -> None:
    bus, gateway = await world.join("swapper"), await world.join("gateway")
    await order(bus, "poison", "good")
    await (await take(bus)).drop("not a swap")
    following = await take(bus)
    assert following.message.subject == "swap.requested.good"
    await following.done()
    assert await bus.last_message("SC_SWAP_CMD", "swap.requested.poison") is not None
    letter = await anext(aiter(gateway.tail("SC_DLQ", after_seq=0)))
    advisory = json.loads(letter.payload)
    assert (advisory["stream"], advisory["consumer"]) == ("SC_SWAP_CMD", "swapper")
    assert (advisory["stream_seq"], advisory["reason"]) == (1, "not a swap")


async def test_after_five_deliveries_it_is_a_dead_letter(world) -> None:
    bus, gateway = await world.join("swapper"), await world.join("gateway")
    automation = await world.join("automation")
    for name in ("poison", "good"):
        asked = SwapRequested(model=name, requested_by="cron", id=name)
        await automation.publish_durable("swap.requested", asked, id=name)
    for attempt in range(1, 6):
        delivery = await take(bus, "swapper-ingress", "SC_INGRESS")
        assert (delivery.message.seq, delivery.attempt) == (1, attempt)
        await delivery.retry(0)
    following = await take(bus, "swapper-ingress", "SC_INGRESS")
    assert following.message.seq == 2
    letter = await anext(aiter(gateway.tail("SC_DLQ", after_seq=0)))
    assert json.loads(letter.payload)["stream_seq"] == 1


async def test_a_swap_is_delivered_until_its_outcome_is_told(world) -> None:
    bus = await world.join("swapper")
    await order(bus, "poison", "good")
    for attempt in range(1, 9):
        delivery = await take(bus)
        assert (delivery.message.subject, delivery.attempt) == ("swap.requested.poison", attempt)
        await delivery.retry(0)
    await (await take(bus)).done()
    assert (await take(bus)).message.subject == "swap.requested.good"


async def test_a_cancellation_does_not_wait_for_the_swap(world) -> None:
    bus = await world.join("swapper")
    await order(bus, "a")
    swap = await take(bus)
    await bus.publish_durable("swap.cancel.a", SwapCancel(swap_id="a"), id="cancel-a")
    cancellation = await take(bus, "swapper-cancel")
    assert cancellation.message.subject == "swap.cancel.a"
    await cancellation.done()
    await swap.done()


async def test_several_cancellations_are_in_hand_at_once(world) -> None:
    bus = await world.join("swapper")
    for swap_id in ("a", "b", "c"):
        await bus.publish_durable(f"swap.cancel.{swap_id}", SwapCancel(swap_id=swap_id), id=swap_id)
    held = [await take(bus, "swapper-cancel") for _ in range(3)]
    assert [delivery.message.seq for delivery in held] == [1, 2, 3]
    for delivery in held:
        await delivery.done()


async def test_work_ends_when_the_bus_closes(world) -> None:
    bus = await world.join("swapper")
    ended: list[str] = []

    async def worker() -> None:
        async for _ in bus.work("SC_SWAP_CMD", "swapper"):
            pass
        ended.append("worker")

    async def reader() -> None:
        async for _ in bus.tail("SC_SWAP_CMD"):
            pass
        ended.append("reader")

    tasks = [asyncio.create_task(worker()), asyncio.create_task(reader())]
    await asyncio.wait(tasks, timeout=0.2)
    await bus.close()
    await until(lambda: len(ended) == 2, "both loops ended")
