"""What both buses promise about reading a stream."""

import asyncio

from spark_common.bus.port import Bus, StoredMessage
from spark_common.events import MenuChanged
from spark_common.testing.wait import until

NEWS = MenuChanged(reason="progress")


async def tell(bus: Bus, swap_id: str, *numbers: int) -> None:
    for n in numbers:
        await bus.publish_durable(f"swap.progress.{swap_id}", NEWS, id=f"{swap_id}:{n}")


async def read(
    bus: Bus, count: int, after_seq: int | None = 0, subjects: tuple[str, ...] = (">",)
) -> list[StoredMessage]:
    found = []
    tail = bus.tail("SC_PROGRESS", subjects, after_seq)
    async for message in tail:
        found.append(message)
        if len(found) == count:
            break
    await tail.aclose()
    return found


async def test_a_late_reader_gets_everything_in_order(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")
    await tell(swapper, "s1", *range(1, 301))
    epoch, _, last = await gateway.bounds("SC_PROGRESS")
    found = await read(gateway, 300)
    assert [message.seq for message in found] == list(range(1, last + 1))
    assert [message.headers["Nats-Msg-Id"] for message in found] == [
        f"s1:{n}" for n in range(1, 301)
    ]
    assert {message.epoch for message in found} == {epoch}


async def test_reading_goes_on_where_it_ended(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")
    await tell(swapper, "s1", 1, 2, 3)
    assert [message.seq for message in await read(gateway, 2)] == [1, 2]
    reading = asyncio.create_task(read(gateway, 3, after_seq=2))
    await tell(swapper, "s1", 4, 5)
    assert [message.seq for message in await reading] == [3, 4, 5]


async def test_only_the_wanted_subjects_are_read(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")
    for n in (1, 2):
        for swap_id in ("a", "b", "c"):
            await tell(swapper, swap_id, n)
    found = await read(gateway, 4, subjects=("swap.progress.a", "swap.progress.c"))
    assert [message.seq for message in found] == [1, 3, 4, 6]
    assert [m.seq for m in await read(gateway, 2, subjects=("swap.progress.b",))] == [2, 5]


async def test_without_a_number_only_what_comes_is_read(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")
    await tell(swapper, "s1", 1, 2)
    found: list[int] = []

    async def reader() -> None:
        async for message in gateway.tail("SC_PROGRESS"):
            found.append(message.seq)

    reading = asyncio.create_task(reader())
    n = 2

    async def another() -> bool:
        nonlocal n
        n += 1
        await tell(swapper, "s1", n)
        return len(found) > 3

    await until(another, "news for the reader")
    reading.cancel()
    assert found[0] > 2
    assert found == list(range(found[0], found[0] + len(found)))


async def test_a_number_behind_the_end_waits_for_the_next_message(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")
    await tell(swapper, "s1", 1)
    reading = asyncio.create_task(read(gateway, 1, after_seq=1))
    await asyncio.wait({reading}, timeout=0.2)
    await tell(swapper, "s1", 2)
    assert [message.seq for message in await reading] == [2]
