"""A gateway process whose NATS is not there yet, hangs, or refuses it something."""

import asyncio
import time
from functools import partial

import httpx
import pytest
from gateway_stand.process import live_events

from spark_common.bus.nats import connect_bus
from spark_common.bus.provision import provision
from spark_common.bus.steward import Steward
from spark_common.clock import SystemClock
from spark_common.plain_http import plain_client
from spark_common.testing.hanging import hanging
from spark_common.testing.wait import until, within

pytestmark = pytest.mark.connected


async def test_the_page_and_v1_work_before_and_without_nats(nats, gateway, make_swapper):
    await nats.kill()
    await gateway.start()
    async with plain_client(base_url=gateway.url, timeout=60) as http:
        assert (await http.get("/readyz")).status_code == 200
        assert (await http.get("/")).headers["content-type"] == "text/html; charset=utf-8"

        async def refused() -> float:
            began = time.monotonic()
            answer = await http.get("/api/models")
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            return time.monotonic() - began

        await within(5, refused)

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
            async with asyncio.timeout(120):
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


async def answered(http: httpx.AsyncClient, method: str, path: str, status: set[int]) -> float:
    began = time.monotonic()
    body = {"model": "gpt-oss-120b"} if method == "POST" else None
    answer = await http.request(method, path, json=body)
    assert answer.status_code in status, path
    return time.monotonic() - began


async def test_a_hung_broker_makes_nobody_wait_longer_than_five_seconds(nats, gateway, swapper):
    await gateway.start()
    async with plain_client(base_url=gateway.url, timeout=60) as http:

        async def menu() -> bool:
            return (await http.get("/api/models")).status_code == 200

        await until(menu, "the menu is there")
        assert nats.pid is not None
        with hanging(nats.pid):
            for method, path, status in (
                ("GET", "/api/models", {503, 504}),
                ("POST", "/api/swap", {503}),
                ("GET", "/api/swap/s1/stream", {503, 504}),
                ("GET", "/api/status", {200}),
            ):
                await within(5, partial(answered, http, method, path, status))
            chat = await http.post("/v1/chat/completions", json={"model": "org/model"})
            assert chat.status_code == 200


async def test_a_refused_subject_shows_and_takes_nothing_away(nats, gateway):
    """Red with the reason, because somebody has to act; the page and /v1 answer all the same."""
    right = nats.config_file.read_text()
    nats.config_file.write_text(right.replace(', "rpc.gateway.>"', ""))
    steward = Steward(nats.url, nats.identities, SystemClock())
    await steward.reload()
    await gateway.start()
    async with plain_client(base_url=gateway.url, timeout=60) as http:

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
