"""The gateway as a real process between a real NATS, a real upstream and real HTTP clients."""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from gateway_stand.process import GatewayProcess, an_upstream

from spark_common.bus.nats import connect_bus
from spark_common.bus.provision import provision
from spark_common.bus.steward import Steward
from spark_common.clock import SystemClock
from spark_common.contracts.swaps import Phase
from spark_common.embedded import NatsServer
from spark_common.embedded.child import free_port
from spark_common.plain_http import plain_client
from spark_common.testing.wait import until

pytestmark = pytest.mark.connected
EVENTS = 2000
READERS = 8


@pytest.fixture
async def nats(tmp_path):
    server = NatsServer(tmp_path / "nats")
    yield server
    await server.kill()


@pytest.fixture
async def gateway(nats, tmp_path):
    await nats.start()
    async with an_upstream() as port:
        process = GatewayProcess(nats, port, tmp_path / "gateway.log")
        yield process
        await process.end(signal.SIGKILL)


@pytest.fixture
async def lonely_gateway(nats, tmp_path):
    """A gateway whose runtime does not listen."""
    await nats.start()
    process = GatewayProcess(nats, free_port(), tmp_path / "gateway.log")
    yield process
    await process.end(signal.SIGKILL)


@pytest.fixture
async def swapper(nats, gateway, make_swapper):
    """A swapper that behaves, on the real bus, as its own identity."""
    await provision(nats.settings("provisioner"), SystemClock())
    bus = await connect_bus(
        nats.settings("swapper"), "swapper", SystemClock(), on_lost=lambda: None
    )
    fake = make_swapper(bus)
    await fake.serve()
    yield fake
    await bus.close()


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
        timeout = httpx.Timeout(20, connect=3)
        async with plain_client(base_url=self._url, timeout=timeout) as http:
            while self.outcome is None:
                self.connections += 1
                try:
                    await self._take(http, path, self._random.randint(100, 900))
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


async def test_eight_readers_lose_nothing_while_nats_and_gateway_die(nats, gateway, swapper):
    await gateway.start()
    await swapper.step("s1", 1)
    readers = [Reader(gateway.url, number) for number in range(READERS)]
    told = 1

    async def tell() -> None:
        nonlocal told
        for n in range(2, EVENTS + 1):
            await swapper.step("s1", n, lines=["x" * 80])
            told = n
        await swapper.complete("s1")

    async def kill() -> None:
        for victim, moment in (("nats", 400), ("gateway", 900), ("nats", 1300), ("nats", 1700)):
            await until(lambda moment=moment: told >= moment, "the story goes on")
            if victim == "nats":
                await nats.kill()
                await nats.start()
            else:
                await gateway.end(signal.SIGKILL)
                await gateway.start()

    async with asyncio.timeout(50), asyncio.TaskGroup() as tasks:
        tasks.create_task(tell())
        tasks.create_task(kill())
        for reader in readers:
            tasks.create_task(reader.follow("/api/swap/s1/stream"))

    for reader in readers:
        assert reader.steps == list(range(1, EVENTS + 1))
        assert reader.outcome == "swap.complete"
        assert reader.resets == 0
        assert reader.connections > 1


async def test_the_page_and_v1_work_before_and_without_nats(nats, gateway, make_swapper):
    await nats.kill()
    await gateway.start()
    async with plain_client(base_url=gateway.url, timeout=10) as http:
        assert (await http.get("/readyz")).status_code == 200
        assert (await http.get("/")).headers["content-type"] == "text/html; charset=utf-8"
        began = time.monotonic()
        refused = await http.get("/api/models")
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert time.monotonic() - began < 5

        chat = await http.post("/v1/chat/completions", json={"model": "org/model"})
        assert chat.json() == {"model": "org/model"}
        await until(lambda: lists_the_model(http), "the model is listed")

        async with http.stream("GET", "/api/live") as answer:
            events = live_events(answer)
            name, picture = await anext(events)
            assert name == "snapshot"
            assert picture["menu"] is None
            assert picture["bus"]["connected"] is False

            await nats.start()
            await provision(nats.settings("provisioner"), SystemClock())
            bus = await connect_bus(
                nats.settings("swapper"), "swapper", SystemClock(), on_lost=lambda: None
            )
            await make_swapper(bus).serve()
            seen = set()
            async with asyncio.timeout(20):
                async for name, body in events:
                    if name == "bus" and body["connected"]:
                        seen.add("bus")
                    if name == "menu" or (name == "snapshot" and body["menu"] is not None):
                        seen.add("menu")
                    if {"name": "swapper", "state": "up"} in (body if name == "components" else []):
                        seen.add("swapper")
                    if seen == {"bus", "menu", "swapper"}:
                        break
            await bus.close()


async def lists_the_model(http: httpx.AsyncClient) -> bool:
    body = (await http.get("/v1/models")).json()
    return body == {
        "object": "list",
        "data": [
            {
                "id": "org/model",
                "object": "model",
                "created": 7,
                "owned_by": "vllm",
                "max_model_len": 4096,
                "kind": "chat",
                "status": {"value": "loaded"},
            }
        ],
    }


async def live_events(answer: httpx.Response) -> AsyncIterator[tuple[str, dict]]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        if "event" in fields:
            yield fields["event"], json.loads(fields["data"])
        fields = {}


async def standstill(pid: int) -> bool:
    threads = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(text.read_text().rpartition(")")[2].split()[0] == "T" for text in threads)


async def test_a_hung_broker_makes_nobody_wait_longer_than_five_seconds(nats, gateway, swapper):
    await gateway.start()
    async with plain_client(base_url=gateway.url, timeout=10) as http:

        async def menu() -> bool:
            return (await http.get("/api/models")).status_code == 200

        await until(menu, "the menu is there")
        assert nats.pid is not None
        os.kill(nats.pid, signal.SIGSTOP)
        await until(partial(standstill, nats.pid), "every thread stands still")
        try:
            for method, path, status in (
                ("GET", "/api/models", {503, 504}),
                ("POST", "/api/swap", {503}),
                ("GET", "/api/swap/s1/stream", {503, 504}),
                ("GET", "/api/status", {200}),
            ):
                began = time.monotonic()
                body = {"model": "gpt-oss-120b"} if method == "POST" else None
                answer = await http.request(method, path, json=body)
                assert answer.status_code in status, path
                assert time.monotonic() - began < 5, path
            chat = await http.post("/v1/chat/completions", json={"model": "org/model"})
            assert chat.status_code == 200
        finally:
            os.kill(nats.pid, signal.SIGCONT)


async def test_a_running_swap_holds_chat_until_its_end_or_that_of_the_gateway(
    nats, gateway, swapper
):
    await gateway.start()
    async with plain_client(base_url=gateway.url, timeout=30) as http:

        async def chat(wait: str = "wait=0", **body: str) -> httpx.Response:
            headers = {"prefer": wait}
            return await http.post("/v1/chat/completions", json=body, headers=headers)

        async def refused() -> bool:
            return (await chat()).status_code == 503

        async def open_again() -> bool:
            return (await chat()).status_code == 200

        async def hold(*models: str) -> list[asyncio.Task[httpx.Response]]:
            waiting = [
                asyncio.create_task(chat("wait=60", **({"model": model} if model else {})))
                for model in models
            ]

            async def held() -> bool:
                return (
                    f"spark_gateway_held_now {len(models)}.0" in (await http.get("/metrics")).text
                )

            await until(held, "requests are held")
            return waiting

        async def begin(swap_id: str) -> None:
            wanted, once = {"model": "gpt-oss-120b"}, {"Idempotency-Key": swap_id}

            async def accepted() -> bool:
                return (await http.post("/api/swap", json=wanted, headers=once)).status_code == 202

            await until(accepted, "the gateway has found the bus")
            await until(open_again, "chat works while the swap only waits")
            await swapper.step(swap_id, 1, phase=Phase.LOADING, previous=Phase.LAUNCHING)
            await until(refused, "chat is refused while the model is away")

        await begin("s1")
        answer = await chat()
        assert answer.json()["error"]["code"] == "model_loading"
        assert answer.json()["loading"]["swap_id"] == "s1"
        assert int(answer.headers["retry-after"]) <= 60
        waiting = await hold("", "auto", "gpt-oss-120b", "org/gpt-oss-120b")
        assert (await chat("wait=60", model="gemma-4-26b")).status_code == 503
        await swapper.complete("s1")
        assert [(await each).status_code for each in waiting] == [200] * 4
        assert await open_again()

        await begin("s2")
        waiting = await hold("auto", "gpt-oss-120b")
        await nats.kill()
        await nats.start()
        await swapper.complete("s2")
        assert [(await each).status_code for each in waiting] == [200] * 2

        await begin("s3")
        waiting = await hold("auto", "gpt-oss-120b")
        ended = asyncio.create_task(gateway.end(signal.SIGTERM))
        for each in waiting:
            answer = await each
            assert answer.json()["error"]["code"] == "restarting"
            assert answer.headers["x-should-retry"] == "true"
        assert await ended == 0


async def test_a_browser_is_let_through_to_the_refusal_of_a_dead_upstream(lonely_gateway):
    await lonely_gateway.start()
    url = lonely_gateway.url
    async with plain_client(base_url=url, timeout=10) as http:
        for path in ("/v1/chat/completions", "/v1/models", "/v1/models/org/model"):
            preflight = await http.options(
                path,
                headers={
                    "origin": "http://app.example",
                    "access-control-request-method": "POST",
                    "access-control-request-headers": "authorization",
                },
            )
            assert preflight.status_code == 204, path
            assert preflight.headers["access-control-allow-origin"] == "*"
            assert preflight.headers["access-control-allow-headers"] == "authorization"
            assert "POST" in preflight.headers["access-control-allow-methods"]
        refused = await http.post("/v1/chat/completions", json={})
        assert refused.status_code == 502
        assert refused.headers["access-control-allow-origin"] == "*"
        assert refused.json()["error"]["code"] == "upstream_unavailable"
        assert (await http.get("/v1/models")).json() == {"object": "list", "data": []}


async def test_a_stop_ends_open_streams_at_once(nats, gateway, swapper):
    await gateway.start()
    swapper.begin("s1")
    await swapper.step("s1", 1)
    async with (
        plain_client(base_url=gateway.url, timeout=10) as http,
        http.stream("GET", "/api/live") as live,
    ):
        events = live_events(live)
        assert (await anext(events))[0] == "snapshot"
        began = time.monotonic()
        code = await gateway.end(signal.SIGTERM)
        assert code == 0
        assert time.monotonic() - began < 5
        async for _ in events:
            pass
    assert "Traceback" not in gateway.said()


async def test_a_client_that_never_reads_is_cut_and_others_are_not(nats, gateway, swapper):
    await gateway.start()
    _, stuck = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1024)
    stuck.write(b"GET /api/live HTTP/1.1\r\nhost: localhost\r\n\r\n")
    quick = Reader(gateway.url, 1)
    await swapper.step("s1", 1)
    async with (
        plain_client(base_url=gateway.url, timeout=10) as http,
        asyncio.timeout(40),
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


async def test_a_missing_setting_is_one_line(tmp_path):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "spark_gateway",
        env={"PATH": os.environ["PATH"], "NATS_URL": "nats://127.0.0.1:4222"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert said.decode().splitlines() == [
        "SPARK1_HOST is not set: the address of the first Spark is required"
    ]


async def test_a_refused_subject_shows_and_takes_nothing_away(nats, gateway):
    """Red with the reason, because somebody has to act; the page and /v1 answer all the same."""
    right = nats.config_file.read_text()
    nats.config_file.write_text(right.replace(', "rpc.gateway.>"', ""))
    steward = Steward(nats.url, nats.identities, SystemClock())
    await steward.reload()
    await gateway.start()
    async with plain_client(base_url=gateway.url, timeout=10) as http:

        async def reasons() -> list[str]:
            return (await http.get("/readyz")).json()["reasons"]

        async def refused() -> bool:
            return any('subscription to "rpc.gateway.' in reason for reason in await reasons())

        await until(refused, "the gateway says what it is refused")
        assert (await http.get("/readyz")).status_code == 503
        assert (await http.get("/v1/models")).status_code == 200
        assert (await http.get("/")).status_code == 200
        await nats.kill()
        await nats.start()

        async def ready() -> bool:
            return not await reasons()

        await until(ready, "after a restart with the right configuration all is well")
