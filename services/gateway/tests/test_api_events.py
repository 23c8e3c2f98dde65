"""``/api/events``: pages, waiting, filters, streams; refusals in words."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from gateway_stand.sse_client import until

from spark_common.testing import FakeClock
from spark_gateway.streams.event_types import TYPES, type_of

GOLDEN = Path(__file__).parents[3] / "tests" / "contract" / "golden"


def tell(bench, subject: str, event_id: str) -> None:
    envelope = {
        "specversion": "1.0",
        "id": event_id,
        "source": "test",
        "type": f"spark.{type_of(subject)}.v1",
        "time": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
        "datacontenttype": "application/json",
        "data": {"said": event_id},
        "tomorrow": 1,
    }
    # As somebody with another library would: with line breaks, and fields of tomorrow.
    bench.broker.store(subject, json.dumps(envelope, indent=2).encode(), event_id)


async def page(bench, **query) -> dict:
    answer = await bench.http.get("/api/events", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def ids(found: dict) -> list[str]:
    return [event["id"] for event in found["events"]]


@pytest.fixture
async def told(bench):
    for number, subject in enumerate(
        ["swap.accepted.s1", "lock.acquired", "swap.complete.s1", "lock.freed", "swap.failed.s2"]
    ):
        tell(bench, subject, f"e{number}")
        await asyncio.sleep(0.002)
    return bench


class TestPages:
    async def test_everything_in_order_with_a_cursor_for_the_rest(self, told) -> None:
        first = await page(told, limit=2)
        assert (ids(first), first["more"], first["reset"]) == (["e0", "e1"], True, False)
        rest = await page(told, after=first["next"])
        assert (ids(rest), rest["more"]) == (["e2", "e3", "e4"], False)
        assert ids(await page(told, after=rest["next"])) == []

    async def test_the_same_cursor_gives_the_same_answer(self, told) -> None:
        cursor = (await page(told, limit=1))["next"]
        answers = [await page(told, after=cursor, limit=3) for _ in range(3)]
        assert answers[0] == answers[1] == answers[2]
        tell(told, "lock.acquired", "new")
        assert await page(told, after=cursor, limit=3) == answers[0]

    async def test_an_event_is_what_was_told_on_the_bus(self, bench) -> None:
        golden = json.loads((GOLDEN / "swap.complete.v1.json").read_text())
        bench.broker.store("swap.complete.x", json.dumps(golden).encode(), golden["id"])
        assert (await page(bench))["events"] == [golden]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"type": "lock.*"}, ["e1", "e3"]),
            ({"type": ["swap.complete", "lock.freed"]}, ["e2", "e3"]),
            ({"type": "swap.failed,swap.accepted"}, ["e0", "e4"]),
            ({"type": "health.transition"}, []),
        ],
    )
    async def test_types(self, told, query: dict, expected: list[str]) -> None:
        assert ids(await page(told, **query)) == expected

    async def test_recent_is_what_is_in_memory_and_what_comes(self, told) -> None:
        everything, recent = await page(told), await page(told, after="recent")
        assert recent["events"] == everything["events"]
        assert not recent["reset"]
        assert (await page(told, after=recent["next"]))["events"] == []

    async def test_now_is_the_place_behind_everything(self, told) -> None:
        start = await page(told, after="now")
        assert ids(start) == []
        tell(told, "lock.acquired", "new")
        assert ids(await page(told, after=start["next"])) == ["new"]

    async def test_every_type_can_be_replayed(self, bench) -> None:
        for name, each in TYPES.items():
            tell(bench, each.subject.replace("*", "x"), name)
        assert set(ids(await page(bench, limit=500))) == set(TYPES)


class TestWaiting:
    async def test_it_ends_when_something_happens(self, told) -> None:
        cursor = (await page(told))["next"]
        waiting = asyncio.create_task(page(told, after=cursor, wait_seconds=30))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        tell(told, "lock.acquired", "new")
        assert ids(await waiting) == ["new"]

    async def test_what_is_not_asked_for_does_not_end_it(self, told) -> None:
        cursor = (await page(told))["next"]
        tell(told, "lock.acquired", "new")
        found = await page(told, after=cursor, wait_seconds=0.3, type="swap.*")
        assert ids(found) == []
        assert ids(await page(told, after=found["next"])) == ["new"]

    async def test_it_ends_when_the_gateway_does(self, told) -> None:
        cursor = (await page(told))["next"]
        waiting = asyncio.create_task(page(told, after=cursor, wait_seconds=30))
        await asyncio.sleep(0.05)
        told.front.events.close()
        async with asyncio.timeout(25):
            assert ids(await waiting) == []


class TestRefusals:
    @pytest.mark.parametrize("after", ["x", "1-", "2-o", "1-o123", "1-p00000000%20", "-1", "NOW"])
    async def test_a_word_that_is_no_cursor(self, bench, after: str) -> None:
        for headers in ({}, {"accept": "text/event-stream"}):
            answer = await bench.http.get(f"/api/events?after={after}", headers=headers)
            assert answer.status_code == 422
            assert "not a cursor" in answer.json()["detail"]

    async def test_an_unknown_type_is_told_with_those_there_are(self, bench) -> None:
        answer = await bench.http.get("/api/events?type=lock.*&type=swap.progress")
        assert answer.status_code == 422
        assert answer.json()["details"]["unknown"] == ["swap.progress"]
        assert answer.json()["details"]["types"] == list(TYPES)

    @pytest.mark.parametrize(
        "query", ["limit=0", "limit=501", "limit=x", "wait_seconds=-1", "wait_seconds=31"]
    )
    async def test_numbers_out_of_bounds(self, bench, query: str) -> None:
        assert (await bench.http.get(f"/api/events?{query}")).status_code == 422

    async def test_a_cursor_of_other_streams_is_answered_with_reset(self, told) -> None:
        foreign = "1-" + "-".join(f"{letter}000000005" for letter in "oajlsh")
        found = await page(told, after=foreign)
        assert found["reset"] is True
        assert "SC_SWAP_EVT" in found["reset_streams"]
        assert ids(found) == ["e0", "e1", "e2", "e3", "e4"]
        assert (await page(told, after=found["next"]))["reset"] is False

    async def test_before_the_streams_were_found_it_is_away_for_a_moment(self, make_bench) -> None:
        async with make_bench() as bench:
            bench.loops["events"].cancel()
            answer = await bench.http.get("/api/events")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"


class TestStream:
    async def test_it_replays_and_goes_on(self, told) -> None:
        async with told.stream("/api/events", accept="text/event-stream") as client:
            await until(lambda: len(client.events) == 5)
            assert [event.name for event in client.events][:2] == ["swap.accepted", "lock.acquired"]
            assert client.events[0].body["id"] == "e0"
            tell(told, "lock.acquired", "new")
            await until(lambda: len(client.events) == 6)
            assert client.events[-1].body["data"] == {"said": "new"}
            assert client.headers["content-type"] == "text/event-stream"

    async def test_every_id_is_a_place_to_go_on_from(self, told) -> None:
        async with told.stream("/api/events", accept="text/event-stream") as client:
            await until(lambda: len(client.events) == 5)
        for number, event in enumerate(client.events):
            again = told.stream("/api/events", accept="text/event-stream", last_event_id=event.id)
            async with again as client_again:
                expected = [f"e{rest}" for rest in range(number + 1, 5)]
                await until(lambda c=client_again, n=4 - number: len(c.events) >= n)
                assert [each.body["id"] for each in client_again.events] == expected
            assert ids(await page(told, after=event.id)) == expected

    async def test_an_id_of_another_kind_is_a_reset_and_everything_follows(self, told) -> None:
        stream = told.stream("/api/events", accept="text/event-stream", last_event_id="p123-4")
        async with stream as client:
            await until(lambda: len(client.events) == 6)
            assert [event.name for event in client.events][:2] == ["reset", "swap.accepted"]

    async def test_quiet_ones_are_kept_awake_and_told_where_they_are(self, make_bench) -> None:
        clock = FakeClock()
        async with make_bench(clock=clock) as bench:
            await clock.advance(1)
            stream = bench.stream("/api/events", accept="text/event-stream")
            async with stream as client:
                await clock.advance(11)
                await until(lambda: b": keep-alive" in client.raw)
                place = client.raw.rpartition(b"id: ")[2].split(b"\n")[0].decode()
                assert ids(await page(bench, after=place)) == []
                assert client.events == []

    async def test_it_ends_when_the_gateway_does(self, told) -> None:
        async with told.stream("/api/events", accept="text/event-stream") as client:
            await until(lambda: len(client.events) == 5)
            told.front.events.close()
            await until(lambda: client.ended)

    async def test_a_head_request_does_not_hang(self, told) -> None:
        async with asyncio.timeout(25):
            answer = await told.http.head("/api/events", headers={"accept": "text/event-stream"})
        assert answer.status_code == 200
