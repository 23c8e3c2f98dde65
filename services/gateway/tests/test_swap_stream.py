"""Following one swap: nothing missing, nothing twice, whatever the client already has."""

import asyncio

import pytest

from spark_common.testing import FakeClock, MemoryBroker, settle
from spark_gateway.streams import hub as hub_module
from spark_gateway.streams.hub import Hub


async def test_a_swap_is_told_from_the_beginning_to_its_outcome(bench, eventually):
    bench.swapper.begin("s1")
    await bench.swapper.step("s1", 1, lines=["loading weights"])
    async with bench.stream("/api/swap/s1/stream") as client:
        await eventually(lambda: client.steps() == [1])
        await bench.swapper.step("other", 1)
        await bench.swapper.step("s1", 2)
        await bench.swapper.complete("s1")
        await eventually(lambda: client.ended)

    assert client.status == 200
    assert client.headers["content-type"] == "text/event-stream"
    assert client.headers["cache-control"] == "no-cache"
    assert client.headers["x-accel-buffering"] == "no"
    assert client.steps() == [1, 2]
    assert client.events[0].body["lines"] == ["loading weights"]
    assert [event.name for event in client.events][-1] == "swap.complete"
    assert client.events[-1].body["served_name"] == "gpt-oss-120b"


async def test_a_reconnect_goes_on_after_the_last_event_it_has(bench, eventually):
    bench.swapper.begin("s1")
    for n in range(1, 6):
        await bench.swapper.step("s1", n)
    async with bench.stream("/api/swap/s1/stream") as first:
        await eventually(lambda: first.steps() == [1, 2, 3, 4, 5])
    third = first.events[2].id
    await bench.swapper.step("s1", 6)
    async with bench.stream("/api/swap/s1/stream", last_event_id=third) as again:
        await eventually(lambda: again.steps() == [4, 5, 6])
    assert again.named("reset") == []


async def test_a_failed_swap_ends_the_stream_and_a_reconnect_gets_204(bench, eventually):
    bench.swapper.begin("s1")
    await bench.swapper.step("s1", 1)
    async with bench.stream("/api/swap/s1/stream") as client:
        await bench.swapper.fail("s1")
        await eventually(lambda: client.ended)
    assert client.events[-1].name == "swap.failed"
    assert client.events[-1].body["cause"]["sentence"] == "too little memory"

    headers = {"Last-Event-ID": client.events[-1].id}
    done = await bench.http.get("/api/swap/s1/stream", headers=headers)
    assert done.status_code == 204
    assert done.content == b""


async def test_a_finished_swap_is_told_whole_to_who_comes_late(bench, eventually):
    await bench.swapper.step("s1", 1)
    await bench.swapper.step("s1", 2)
    await bench.swapper.complete("s1")
    async with bench.stream("/api/swap/s1/stream") as client:
        await eventually(lambda: client.ended)
    assert [event.name for event in client.events] == [
        "swap.progress",
        "swap.progress",
        "swap.complete",
    ]
    async with bench.stream("/api/swap/s1/stream", last_event_id=client.events[0].id) as again:
        await eventually(lambda: again.ended)
    assert [event.name for event in again.events] == ["swap.progress", "swap.complete"]
    assert again.steps() == [2]


@pytest.mark.parametrize(
    "foreign", ["pother-epoch-1", "pmemory-1-999999", "omemory-1-1", "rubbish", "-", "pmemory-1-x"]
)
async def test_a_foreign_id_resets_and_replays(bench, eventually, foreign):
    bench.swapper.begin("s1")
    await bench.swapper.step("s1", 1)
    await bench.swapper.step("s1", 2)
    async with bench.stream("/api/swap/s1/stream", last_event_id=foreign) as client:
        await eventually(lambda: client.steps() == [1, 2])
    assert client.events[0].name == "reset"


async def test_an_unknown_swap_has_no_stream(bench):
    answer = await bench.http.get("/api/swap/nothing/stream")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


async def test_a_waiting_swap_has_a_stream_before_it_has_events(bench, eventually):
    bench.swapper.begin("s1")
    async with bench.stream("/api/swap/s1/stream") as client:
        assert client.status == 200
        await bench.swapper.step("s1", 1)
        await eventually(lambda: client.steps() == [1])


async def test_head_says_the_type_and_ends(bench):
    bench.swapper.begin("s1")
    answer = await bench.http.head("/api/swap/s1/stream")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream"


@pytest.fixture
def small_ring(monkeypatch):
    """A hub that remembers ten entries, as a busy one remembers two thousand."""

    def tiny(bus, clock):
        return Hub(bus, clock, ring_entries=10)

    monkeypatch.setattr("spark_gateway.front.Hub", tiny)


async def test_who_is_older_than_the_ring_reads_the_stream_itself(
    small_ring, make_bench, eventually
):
    async with make_bench() as bench:
        await eventually(lambda: bench.front.hub.caught_up)
        for n in range(1, 101):
            await bench.swapper.step("s1", n)
        await eventually(lambda: bench.front.hub.progress.position == 100)
        assert bench.front.hub.progress.floor == 90
        async with bench.stream("/api/swap/s1/stream") as client:
            await eventually(lambda: len(client.steps()) == 100)
            for n in range(101, 131):
                await bench.swapper.step("s1", n)
            await bench.swapper.complete("s1")
            await eventually(lambda: client.ended)
    assert client.steps() == list(range(1, 131))
    assert client.events[-1].name == "swap.complete"


async def test_who_joins_while_the_ring_overflows_misses_nothing(
    small_ring, make_bench, eventually
):
    async with make_bench() as bench:
        await eventually(lambda: bench.front.hub.caught_up)
        for n in range(1, 51):
            await bench.swapper.step("s1", n)

        async def tell() -> None:
            for n in range(51, 201):
                await bench.swapper.step("s1", n)
                await asyncio.sleep(0)
            await bench.swapper.complete("s1")

        telling = asyncio.create_task(tell())
        async with bench.stream("/api/swap/s1/stream") as client:
            await eventually(lambda: client.ended)
        await telling
    assert client.steps() == list(range(1, 201))


async def test_a_client_that_does_not_read_is_dropped_and_resumes(bench, eventually):
    bench.swapper.begin("s1")
    await bench.swapper.step("s1", 1)
    async with bench.stream("/api/swap/s1/stream") as slow:
        await eventually(lambda: slow.steps() == [1])
        async with bench.stream("/api/swap/s1/stream") as quick:
            await eventually(lambda: quick.steps() == [1])
            slow.reading.clear()
            for n in range(2, 702):
                await bench.swapper.step("s1", n)
                if n % 50 == 0:
                    await eventually(lambda n=n: len(quick.steps()) >= n)
            await eventually(lambda: slow.ended)
            await eventually(lambda: len(quick.steps()) == 701)
    assert len(slow.steps()) < 701
    slow.reading.set()
    seen = slow.events[-1].id
    async with bench.stream("/api/swap/s1/stream", last_event_id=seen) as again:
        await eventually(lambda: len(slow.steps() + again.steps()) == 701)
    assert slow.steps() + again.steps() == list(range(1, 702))


async def test_the_outcome_never_overtakes_progress(bench, eventually):
    """Two streams keep no order between them; the hub waits for what was stored before."""
    bench.swapper.begin("s1")
    async with bench.stream("/api/swap/s1/stream") as client:
        for n in range(1, 200):
            await bench.swapper.step("s1", n)
        await bench.swapper.complete("s1")
        await eventually(lambda: client.ended)
    assert client.steps() == list(range(1, 200))
    assert client.events[-1].name == "swap.complete"


async def test_who_comes_after_the_end_gets_what_the_gateway_has_not_read_yet(bench, eventually):
    bench.swapper.begin("s1")
    await bench.swapper.step("s1", 1)
    await eventually(lambda: bench.front.hub.progress.position == 1)
    await bench.stop_reading()
    await bench.swapper.step("s1", 2)
    await bench.swapper.complete("s1")
    async with bench.stream("/api/swap/s1/stream") as client:
        await eventually(lambda: client.steps() == [1])
        bench.read_on()
        await eventually(lambda: client.ended)
    assert [event.name for event in client.events] == [
        "swap.progress",
        "swap.progress",
        "swap.complete",
    ]
    assert client.steps() == [1, 2]


async def test_streams_end_at_once_when_the_process_stops(bench, eventually):
    bench.swapper.begin("s1")
    await bench.swapper.step("s1", 1)
    async with (
        bench.stream("/api/swap/s1/stream") as one,
        bench.stream("/api/live") as all_of_it,
    ):
        await eventually(lambda: one.steps() == [1] and all_of_it.named("snapshot"))
        bench.front.hub.close()
        await eventually(lambda: one.ended and all_of_it.ended)


async def test_an_outage_in_the_middle_loses_nothing(bench, eventually):
    bench.swapper.begin("s1")
    await bench.swapper.step("s1", 1)
    async with bench.stream("/api/swap/s1/stream") as client:
        await eventually(lambda: client.steps() == [1])
        bench.broker.down()
        telling = asyncio.create_task(bench.swapper.step("s1", 2))
        await asyncio.sleep(0)
        assert not client.ended
        bench.broker.up()
        await telling
        await bench.swapper.complete("s1")
        await eventually(lambda: client.ended)
    assert client.steps() == [1, 2]


async def test_a_new_stream_ends_the_followers_of_the_old_one(bench, eventually):
    bench.swapper.begin("s1")
    await bench.swapper.step("s1", 1)
    async with bench.stream("/api/swap/s1/stream") as client:
        await eventually(lambda: client.steps() == [1])
        fresh = MemoryBroker(clock=bench.broker.clock).streams["SC_PROGRESS"]
        fresh.epoch = "memory-2"
        bench.broker.streams["SC_PROGRESS"] = fresh
        await bench.swapper.step("s1", 1)
        await bench.swapper.step("s1", 2)
        await eventually(lambda: client.ended)
    last = client.events[-1].id
    await eventually(lambda: bench.front.hub.progress.position == 2)
    async with bench.stream("/api/swap/s1/stream", last_event_id=last) as again:
        await eventually(lambda: again.steps() == [1, 2])
    assert again.events[0].name == "reset"


async def test_keep_alives_come_every_ten_seconds(clocked_bench, eventually):
    bench, clock = clocked_bench
    bench.swapper.begin("s1")
    async with bench.stream("/api/swap/s1/stream") as client:
        await clock.advance(0.1)
        for beat in (1, 2, 3):
            await clock.advance(hub_module.KEEP_ALIVE_SECONDS)
            await eventually(lambda beat=beat: client.raw.count(b": keep-alive\n\n") == beat)


@pytest.fixture
async def clocked_bench(make_bench):
    clock = FakeClock()
    async with make_bench(clock=clock) as bench:
        await settle()
        assert bench.front.hub.caught_up
        yield bench, clock
