"""The event streams of a gateway process: nothing is lost, nobody holds up others.

``STREAM_EVENTS=6000`` makes it the long proof.
"""

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter

import httpx
import pytest
from gateway_stand.process import live_events

from spark_common.plain_http import plain_client
from spark_common.testing.noting import note
from spark_common.testing.wait import until, within

pytestmark = pytest.mark.connected
EVENTS = int(os.environ.get("STREAM_EVENTS", "1000"))
READERS = 8


class Reader:
    """Follows a swap like a browser: takes what comes, resumes by id when it is cut."""

    def __init__(self, url: str, number: int) -> None:
        self._url = url
        self._random = random.Random(number)
        self.steps: list[int] = []
        self.connections = 0
        self.resets = 0
        self.outcome: str | None = None
        self._last_id: str | None = None

    async def follow(self, path: str) -> None:
        timeout = httpx.Timeout(60, connect=3)
        async with plain_client(base_url=self._url, timeout=timeout) as http:
            while self.outcome is None:
                self.connections += 1
                try:
                    await self._take(http, path, self._random.randint(50, 450))
                except (httpx.HTTPError, OSError):
                    await asyncio.sleep(0.1)

    async def _take(self, http: httpx.AsyncClient, path: str, quota: int) -> None:
        headers = {"last-event-id": self._last_id} if self._last_id else {}
        async with http.stream("GET", path, headers=headers) as answer:
            answer.raise_for_status()
            fields: dict[str, str] = {}
            async for line in answer.aiter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                    continue
                self._dispatch(fields)
                fields = {}
                quota -= 1
                if quota == 0 or self.outcome is not None:
                    return

    def _dispatch(self, fields: dict[str, str]) -> None:
        match fields.get("event"):
            case "swap.progress":
                self.steps.append(json.loads(fields["data"])["n"])
            case "reset":
                self.resets += 1
            case "swap.complete" | "swap.failed" as outcome:
                self.outcome = outcome
        self._last_id = fields.get("id", self._last_id)


@pytest.mark.timeout(240 + EVENTS // 10)
async def test_eight_readers_lose_nothing_while_nats_and_gateway_die(
    nats, gateway, swapper, request
):
    await gateway.start()
    await swapper.step("s1", 1)
    readers = [Reader(gateway.url, number) for number in range(READERS)]
    told, killed = 1, Counter()

    async def tell() -> None:
        nonlocal told
        for n in range(2, EVENTS + 1):
            await swapper.step("s1", n, lines=["x" * 80])
            told = n
        await swapper.complete("s1")

    async def kill() -> None:
        order = ("nats", 200), ("gateway", 450), ("nats", 650), ("nats", 850)
        for begun in range(0, EVENTS, 1000):
            for victim, moment in order:
                await strike(victim, begun + moment)

    async def strike(victim, moment) -> None:
        await until(lambda: told >= moment, "the story goes on")
        killed[victim] += 1
        if victim == "nats":
            await nats.kill()
            await nats.start()
        else:
            await gateway.end(signal.SIGKILL)
            await gateway.start()

    async with asyncio.timeout(240 + EVENTS // 10), asyncio.TaskGroup() as tasks:
        tasks.create_task(tell())
        tasks.create_task(kill())
        for reader in readers:
            tasks.create_task(reader.follow("/api/swap/s1/stream"))

    note(
        request.node,
        killed,
        readers=READERS,
        events=EVENTS,
        connections=sum(reader.connections for reader in readers),
        wrong=sum(reader.steps != list(range(1, EVENTS + 1)) for reader in readers),
    )
    for reader in readers:
        assert reader.steps == list(range(1, EVENTS + 1))
        assert reader.outcome == "swap.complete"
        assert reader.resets == 0
        assert reader.connections > 1


async def test_a_stop_ends_open_streams_at_once(nats, gateway, swapper):
    swapper.begin("s1")
    await swapper.step("s1", 1)

    async def stopped() -> float:
        await gateway.start()
        async with (
            plain_client(base_url=gateway.url, timeout=60) as http,
            http.stream("GET", "/api/live") as live,
        ):
            events = live_events(live)
            assert (await anext(events))[0] == "snapshot"
            began = time.monotonic()
            code = await gateway.end(signal.SIGTERM)
            took = time.monotonic() - began
            assert code == 0
            async for _ in events:
                pass
        assert "Traceback" not in gateway.said()
        return took

    await within(5, stopped)


async def test_a_client_that_never_reads_is_cut_and_others_are_not(nats, gateway, swapper):
    await gateway.start()
    _, stuck = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1024)
    stuck.write(b"GET /api/live HTTP/1.1\r\nhost: localhost\r\n\r\n")
    quick = Reader(gateway.url, 1)
    await swapper.step("s1", 1)
    async with (
        plain_client(base_url=gateway.url, timeout=60) as http,
        asyncio.timeout(240),
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(quick.follow("/api/swap/s1/stream"))

        async def tell() -> int:
            dropped, n = 0, 1
            while not dropped:
                for _ in range(200):
                    n += 1
                    await swapper.step("s1", n, lines=["x" * 4000] * 4)
                text = (await http.get("/metrics")).text
                dropped = "spark_gateway_event_clients_dropped_total 1.0" in text
            await swapper.complete("s1")
            return n

        told = tasks.create_task(tell())
    assert quick.steps == list(range(1, told.result() + 1))
    stuck.close()
