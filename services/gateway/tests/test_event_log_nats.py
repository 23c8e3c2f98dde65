"""The log of events on a real server: streams made anew, purged, and read far back."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from spark_common.bus.nats import NatsBus, connect_bus
from spark_common.bus.provision import provision
from spark_common.clock import SystemClock
from spark_common.embedded import NatsServer
from spark_common.events import MenuChanged
from spark_common.testing.fixtures import nats_server
from spark_common.testing.wait import until
from spark_gateway.streams.event_cursor import read_cursor, write_cursor
from spark_gateway.streams.event_log import EventLog
from spark_gateway.streams.event_types import EVERYTHING, wanted

__all__ = ["nats_server"]
pytestmark = pytest.mark.connected
BODY = MenuChanged(reason="any body will do")


@asynccontextmanager
async def a_log(server: NatsServer, shelf_records: int) -> AsyncIterator[EventLog]:
    bus = await connect_bus(server.settings("gateway"), "gateway", SystemClock())
    log = EventLog(bus, SystemClock(), shelf_records=shelf_records)
    running = asyncio.create_task(log.run())
    try:
        yield log
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await bus.close()
    assert bus.health().refused is None


@pytest.fixture
async def tellers(nats_server: NatsServer) -> AsyncIterator[dict[str, NatsBus]]:
    names = ("swapper", "coordinator", "provisioner")
    made = {
        name: await connect_bus(nats_server.settings(name), name, SystemClock()) for name in names
    }
    yield made
    for bus in made.values():
        await bus.close()


async def tell(tellers: dict[str, NatsBus], *ids: str) -> None:
    """Tell of swaps and of the lease in turns."""
    for number, event_id in enumerate(ids):
        name, subject = (
            ("swapper", f"swap.complete.{event_id}")
            if number % 2
            else (
                "coordinator",
                "lock.acquired",
            )
        )
        await tellers[name].publish_durable(subject, BODY, id=event_id)


def ids(page) -> list[str]:
    return [json.loads(record.body)["id"] for record in page.records]


async def test_far_back_is_read_in_pages_and_leaves_no_reader_behind(
    nats_server: NatsServer, tellers: dict[str, NatsBus]
) -> None:
    told = [f"e{number}" for number in range(60)]
    await tell(tellers, *told)
    async with a_log(nats_server, shelf_records=4) as log:
        places, found = {}, []
        while True:
            page = await log.page(places, EVERYTHING, 7)
            assert ids(await log.page(places, EVERYTHING, 7)) == ids(page)
            found += ids(page)
            places = read_cursor(write_cursor(page.after))
            if not page.more:
                break
        assert found == told
        only = await log.page({}, wanted(["swap.complete"]), 500)
        assert ids(only) == told[1::2]

        async def one_is_heard() -> bool:
            """What was looked up left consumers that nobody hears: gone in thirty seconds."""
            listed = await tellers["provisioner"]._link.api("CONSUMER.LIST.SC_SWAP_EVT")
            passing = [each for each in listed["consumers"] if "durable_name" not in each["config"]]
            limits = {each["config"]["inactive_threshold"] for each in passing}
            assert limits == {30_000_000_000}
            return sum(each.get("push_bound", False) for each in passing) == 1

        await until(one_is_heard, "the reader of the log is the only one")


async def test_a_stream_that_is_made_anew_under_a_reader(
    nats_server: NatsServer, tellers: dict[str, NatsBus]
) -> None:
    await tell(tellers, "a", "b", "c", "d")
    async with a_log(nats_server, shelf_records=100) as log:
        before = await log.page({}, EVERYTHING, 100)
        assert ids(before) == ["a", "b", "c", "d"]
        await tellers["provisioner"]._link.api("STREAM.DELETE.SC_LEASE_EVT")
        await provision(nats_server.settings("provisioner"), SystemClock())
        await tell(tellers, "new")
        seen: list[str] = []

        async def reset() -> bool:
            page = await log.page(before.after, EVERYTHING, 100)
            seen[:] = ids(page)
            return page.reset == ("SC_LEASE_EVT",)

        await until(reset, "the reader finds out")
        await until(reset, "and the same cursor says so again")
        assert seen == ["new"], "the other streams go on where they were"


async def test_what_was_purged_is_a_gap_that_is_told(
    nats_server: NatsServer, tellers: dict[str, NatsBus]
) -> None:
    await tell(tellers, *(f"e{number}" for number in range(20)))
    async with a_log(nats_server, shelf_records=2) as log:
        first = await log.page({}, EVERYTHING, 4)
        await tellers["provisioner"]._link.api("STREAM.PURGE.SC_LEASE_EVT", {"keep": 2})
        page = await log.page(first.after, EVERYTHING, 100)
        assert page.reset == ("SC_LEASE_EVT",)
        assert ids(page) == [*(f"e{n}" for n in range(5, 16, 2)), "e16", "e17", "e18", "e19"]
        assert (await log.page(first.after, wanted(["swap.*"]), 100)).reset == ()
