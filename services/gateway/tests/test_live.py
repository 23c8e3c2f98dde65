"""The dashboard's stream: one picture, then every change, whatever is broken behind it."""

import asyncio
import contextlib

import pytest

from spark_common.testing import FakeClock, settle
from spark_gateway.streams.hub import Hub


async def test_first_the_whole_picture_then_what_changes(bench, eventually):
    async with bench.stream("/api/live") as client:
        await eventually(lambda: client.events)
        picture = client.events[0]
        assert picture.name == "snapshot"
        assert picture.body["bus"] == {"connected": True, "detail": None}
        assert [model["key"] for model in picture.body["menu"]["models"]] == [
            "gpt-oss-120b",
            "gemma-4-26b",
        ]
        assert picture.body["swaps"] == {"current": None, "queue": [], "recent": []}
        assert picture.body["version"]
        bench.swapper.begin("s1")
        await bench.swapper.step("s1", 1)
        await bench.swapper.step("s1", 2)
        await bench.swapper.complete("s1")
        await eventually(lambda: client.named("swap.complete"))
        assert client.steps() == [1, 2]
        await eventually(
            lambda: (
                client.named("menu")
                and client.named("menu")[-1].body["runtime"]["model"] == "gpt-oss-120b"
            )
        )
        await eventually(
            lambda: (
                client.named("swaps")
                and client.named("swaps")[-1].body["recent"][0]["phase"] == "ready"
            )
        )


async def test_a_page_opened_in_the_middle_gets_the_swap_from_its_beginning(bench, eventually):
    await bench.swapper.step("old", 1)
    await bench.swapper.complete("old")
    bench.swapper.begin("s1")
    for n in (1, 2, 3):
        await bench.swapper.step("s1", n, lines=[f"line {n}"])
    await eventually(lambda: bench.front.hub.progress.position == 4)
    async with bench.stream("/api/live") as client:
        await eventually(lambda: len(client.events) >= 4)
        assert client.events[0].body["swaps"]["current"]["id"] == "s1"
        mine = [event for event in client.named("swap.progress") if event.body["swap_id"] == "s1"]
        assert [event.body["n"] for event in mine] == [1, 2, 3]
        await bench.swapper.step("s1", 4)
        await eventually(lambda: client.steps()[-1] == 4)


async def test_what_happened_since_the_cached_picture_follows_it(clocked, eventually):
    bench, _clock = clocked
    async with bench.stream("/api/live") as first:
        await eventually(lambda: first.named("snapshot"))
        bench.swapper.begin("s1")
        # Its first step got lost, so nothing tells the gateway to look again.
        await bench.swapper.step("s1", 2)
        await bench.swapper.step("s1", 3)
        await eventually(lambda: first.steps() == [2, 3])
        async with bench.stream("/api/live") as second:
            await eventually(lambda: second.steps() == [2, 3])
            assert second.events[0].body["swaps"]["current"] is None
            await bench.swapper.step("s1", 4)
            await eventually(lambda: second.steps() == [2, 3, 4])


async def test_one_refresh_serves_every_client(clocked, eventually):
    bench, clock = clocked
    async with bench.stream("/api/live") as one, bench.stream("/api/live") as two:
        await eventually(lambda: one.named("snapshot") and two.named("snapshot"))
        asked = bench.swapper.menus_asked
        for rounds in (1, 2, 3):
            await clock.advance(5.0)
            await eventually(lambda rounds=rounds: bench.swapper.menus_asked == asked + rounds)
        assert one.named("menu") == two.named("menu") == []


async def test_nobody_watching_asks_rarely(clocked, eventually):
    bench, clock = clocked
    asked = bench.swapper.menus_asked
    await clock.advance(25.0)
    assert bench.swapper.menus_asked == asked
    await clock.advance(6.0)
    await eventually(lambda: bench.swapper.menus_asked == asked + 1)


async def test_a_hint_refreshes_and_only_changes_are_told(clocked, eventually):
    bench, _clock = clocked
    async with bench.stream("/api/live") as client:
        await eventually(lambda: client.named("snapshot"))
        await bench.swapper.hint()
        await settle()
        assert client.named("menu") == []
        bench.swapper.loaded = "gemma-4-26b"
        await bench.swapper.hint()
        await eventually(lambda: client.named("menu"))
        assert client.named("menu")[0].body["runtime"]["model"] == "gemma-4-26b"
        assert client.named("swaps") == []


async def test_without_anybody_the_page_still_opens_and_fills_by_itself(make_bench, eventually):
    async with make_bench(swapper_answers=False) as bench:
        bench.broker.down()
        async with bench.stream("/api/live") as client:
            await eventually(lambda: client.named("snapshot"))
            picture = client.events[0].body
            assert picture["menu"] is None
            assert picture["swaps"] is None
            assert picture["bus"]["connected"] is False
            states = {entry["name"]: entry["state"] for entry in picture["components"]}
            assert states.pop("gateway") == "up"
            assert set(states.values()) == {"unknown"}

            bench.swapper.begin("s1")
            bench.broker.up()
            await bench.swapper.serve()
            await bench.swapper.step("s1", 1)
            await eventually(
                lambda: client.named("bus") and client.named("bus")[-1].body["connected"]
            )
            await bench.swapper.hint()
            await eventually(
                lambda: client.named("menu") or client.named("snapshot")[-1].body["menu"]
            )
            await eventually(lambda: 1 in client.steps())
            await eventually(
                lambda: (
                    any(
                        {"name": "swapper", "state": "up"} in event.body
                        for event in client.named("components")
                    )
                    or {"name": "swapper", "state": "up"}
                    in client.named("snapshot")[-1].body["components"]
                )
            )


async def test_losing_and_finding_the_bus_is_told(bench, eventually):
    async with bench.stream("/api/live") as client:
        await eventually(lambda: client.named("snapshot"))
        bench.broker.down()
        await eventually(lambda: client.named("bus"))
        assert client.named("bus")[0].body["connected"] is False
        async with bench.stream("/api/live") as late:
            await eventually(lambda: late.named("snapshot"))
            assert late.events[0].body["bus"]["connected"] is False
            await eventually(lambda: bench.front.board.bus_view().connected is False)
        bench.broker.up()
        await eventually(lambda: client.named("bus")[-1].body["connected"] is True)
        assert not client.ended


async def test_a_service_that_stops_answering_is_shown_as_down(clocked, eventually):
    bench, clock = clocked

    def swapper_in(body):
        return next(entry["state"] for entry in body if entry["name"] == "swapper")

    async with bench.stream("/api/live") as client:
        await eventually(lambda: client.named("snapshot"))
        assert swapper_in(client.events[0].body["components"]) == "up"
        await bench.swapper.bus.close()
        # One missed call is forgiven.
        await clock.advance(5.0)
        await settle()
        assert client.named("components") == []
        await clock.advance(5.0)
        await eventually(lambda: client.named("components"))
        assert swapper_in(client.named("components")[0].body) == "down"


async def test_a_dashboard_that_does_not_read_is_dropped(bench, eventually):
    async with bench.stream("/api/live") as slow:
        await eventually(lambda: slow.named("snapshot"))
        slow.reading.clear()
        for n in range(1, 701):
            await bench.swapper.step("s1", n)
            if n % 50 == 0:
                await eventually(lambda n=n: bench.front.hub.progress.position >= n)
        await eventually(lambda: slow.ended)


async def test_a_swap_older_than_the_ring_is_told_from_its_stream(
    monkeypatch, make_bench, eventually
):
    monkeypatch.setattr(
        "spark_gateway.front.Hub", lambda bus, clock: Hub(bus, clock, ring_entries=5)
    )
    async with make_bench() as bench:
        await eventually(lambda: bench.front.hub.caught_up)
        bench.swapper.begin("s1")
        for n in range(1, 41):
            await bench.swapper.step("s1", n)
        await eventually(lambda: bench.front.hub.progress.position == 40)
        async with bench.stream("/api/live") as client:
            await eventually(lambda: len(client.steps()) == 40)
            assert client.steps() == list(range(1, 41))


async def test_status_says_the_same_in_one_answer(bench, eventually):
    bench.swapper.begin("s1")
    bench.swapper.loaded = "gpt-oss-120b"
    await bench.swapper.hint()
    await asyncio.sleep(0)
    bench.front.board.poke()

    async def loaded() -> bool:
        body = (await bench.http.get("/api/status")).json()
        return bool(body["runtime"] and body["runtime"]["model"] and body["swap"])

    async with asyncio.timeout(60):
        while not await loaded():
            await asyncio.sleep(0.01)
    body = (await bench.http.get("/api/status")).json()
    assert body["swap"]["id"] == "s1"
    assert body["hosts"][0]["state"] == "online"
    assert {"name": "gateway", "state": "up"} in body["components"]


@pytest.fixture
async def clocked(make_bench):
    """The bench on a clock that only the test moves."""
    clock = FakeClock()
    async with make_bench(clock=clock) as bench:
        await settle()
        yield bench, clock


async def test_what_ended_while_the_streams_were_found_is_not_believed_to_run(
    make_bench, eventually
):
    """An outcome that is history when it is read is told to nobody; the picture must say it."""
    async with make_bench() as bench:
        await bench.stop_reading()
        bench.swapper.begin("s1")
        bench.front.board.poke()
        pictures = []
        bench.front.board.on_picture(pictures.append)
        await eventually(lambda: pictures and pictures[-1].swaps.current is not None)
        await bench.swapper.step("s1", 1)
        await bench.swapper.complete("s1")
        bench.read_on()
        await eventually(lambda: pictures[-1].swaps.current is None)


async def test_how_many_requests_are_held_is_told_when_it_changes_and_in_every_picture(
    bench, eventually
):
    async with bench.stream("/api/live") as client:
        await eventually(lambda: client.named("snapshot"))
        assert client.named("snapshot")[0].body["held"] == 0
        for count in (2, 2, 3):
            bench.front.board.set_held(count)
        await eventually(lambda: len(client.named("held")) == 2)
        assert [event.body for event in client.named("held")] == [2, 3]
    async with bench.stream("/api/live") as client:
        await eventually(lambda: client.named("snapshot"))
        assert client.named("snapshot")[0].body["held"] == 3


async def test_two_hundred_browsers_miss_nothing(bench, eventually):
    async with contextlib.AsyncExitStack() as open_pages:
        pages = [
            await open_pages.enter_async_context(bench.stream("/api/live")) for _ in range(200)
        ]
        await eventually(lambda: all(page.named("snapshot") for page in pages))
        bench.swapper.begin("s1")
        for n in range(1, 21):
            await bench.swapper.step("s1", n, lines=[f"line {n}"])
        await bench.swapper.complete("s1")
        await eventually(lambda: all(page.named("swap.complete") for page in pages))
        assert {tuple(page.steps()) for page in pages} == {tuple(range(1, 21))}
        assert {page.events[0].name for page in pages} == {"snapshot"}
        assert [page.ended for page in pages].count(True) == 0
    await eventually(lambda: not bench.front.hub.watched)
