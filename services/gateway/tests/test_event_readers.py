"""Readers of all events over kill -9 of the broker and of the gateway: nothing lost or doubled.

``EVENT_READERS`` and ``EVENT_COUNT`` make it heavier.
"""

import asyncio
import json
import os
import random
import signal
from contextlib import suppress

import httpx
import pytest
from gateway_stand.process import GatewayProcess, an_upstream

from spark_common import events
from spark_common.bus.nats import connect_bus
from spark_common.bus.port import Unknown
from spark_common.bus.provision import provision
from spark_common.clock import SystemClock
from spark_common.embedded import NatsServer
from spark_common.plain_http import plain_client
from spark_common.testing.wait import until

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

READERS = int(os.environ.get("EVENT_READERS", "8"))
EVENTS = int(os.environ.get("EVENT_COUNT", "300"))
KILLS = (("nats", 0.15), ("gateway", 0.35), ("nats", 0.55), ("gateway", 0.75))
HINT = events.MenuChanged(reason="any body will do")
TELLERS = {
    "swapper": ("swap.accepted.{n}", "swap.complete.{n}", "download.failed.{n}"),
    "coordinator": ("lock.acquired", "schedule.due"),
    "health": ("health.transition.{n}",),
}


class SseReader:
    """Follows like a browser: takes what comes, resumes by id when it is cut."""

    def __init__(self, url: str, number: int) -> None:
        self._url = url
        self._random = random.Random(number)
        self._last_id: str | None = None
        self.seen: list[str] = []
        self.connections = 0
        self.resets = 0

    async def follow(self) -> None:
        timeout = httpx.Timeout(60, connect=3)
        async with plain_client(base_url=self._url, timeout=timeout) as http:
            while len(self.seen) < EVENTS:
                self.connections += 1
                with suppress(httpx.HTTPError, OSError):
                    await self._take(http, self._random.randint(20, EVENTS))
                await asyncio.sleep(0.05)

    async def _take(self, http: httpx.AsyncClient, quota: int) -> None:
        headers = {"accept": "text/event-stream"}
        if self._last_id:
            headers["last-event-id"] = self._last_id
        async with http.stream("GET", "/api/events", headers=headers) as answer:
            answer.raise_for_status()
            fields: dict[str, str] = {}
            async for line in answer.aiter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                    continue
                self._last_id = fields.get("id", self._last_id)
                if fields.get("event") == "reset":
                    self.resets += 1
                elif "data" in fields:
                    self.seen.append(json.loads(fields["data"])["id"])
                    quota -= 1
                fields = {}
                if quota == 0 or len(self.seen) >= EVENTS:
                    return


class PageReader:
    """Asks for pages, and for each of them twice."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.seen: list[str] = []
        self.resets = 0

    async def follow(self) -> None:
        cursor = ""
        async with plain_client(base_url=self._url, timeout=60) as http:
            while len(self.seen) < EVENTS:
                query = {"after": cursor, "limit": 17, "wait_seconds": 1}
                with suppress(httpx.HTTPError, OSError):
                    answer = await http.get("/api/events", params=query)
                    again = await http.get("/api/events", params=query)
                    if answer.status_code == again.status_code == 200:
                        page = answer.json()
                        beginning = again.json()["events"][: len(page["events"])]
                        assert beginning == page["events"], "the same cursor, the same answer"
                        self.seen += [event["id"] for event in page["events"]]
                        self.resets += page["reset"]
                        cursor = page["next"]
                        continue
                await asyncio.sleep(0.05)


async def test_nobody_loses_or_doubles_an_event(tmp_path):
    nats = NatsServer(tmp_path / "nats")
    await nats.start()
    await provision(nats.settings("provisioner"), SystemClock())
    buses = {
        name: await connect_bus(nats.settings(name), name, SystemClock(), on_lost=lambda: None)
        for name in TELLERS
    }
    subjects = [(name, subject) for name, each in TELLERS.items() for subject in each]
    told: list[str] = []

    async def tell() -> None:
        rng = random.Random(7)
        for n in range(EVENTS):
            name, subject = rng.choice(subjects)
            place, event_id = subject.format(n=n), f"e{n}"
            while isinstance(await buses[name].publish_durable(place, HINT, id=event_id), Unknown):
                pass
            told.append(event_id)
            await asyncio.sleep(0.005)

    async with an_upstream() as port:
        gateway = GatewayProcess(nats, port, tmp_path / "gateway.log")
        await gateway.start()
        readers = [SseReader(gateway.url, number) for number in range(READERS)]
        pages = PageReader(gateway.url)

        async def kill() -> None:
            for victim, share in KILLS:
                await until(lambda share=share: len(told) >= EVENTS * share, "events")
                if victim == "nats":
                    await nats.kill()
                    await nats.start()
                else:
                    await gateway.end(signal.SIGKILL)
                    await gateway.start()

        try:
            async with asyncio.timeout(210), asyncio.TaskGroup() as tasks:
                tasks.create_task(tell())
                tasks.create_task(kill())
                for reader in (*readers, pages):
                    tasks.create_task(reader.follow())
        finally:
            for bus in buses.values():
                await bus.close()
            await gateway.end(signal.SIGKILL)
            await nats.kill()

    for reader in readers:
        assert reader.seen == told
        assert reader.resets == 0
        assert reader.connections > 1
    assert pages.seen == told
    assert pages.resets == 0
