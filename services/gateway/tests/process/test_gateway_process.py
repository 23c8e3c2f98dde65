"""The gateway as a real process between a real NATS, a real upstream and real HTTP clients."""

import asyncio
import os
import signal
import sys

import httpx
import pytest
from gateway_stand.process import GatewayProcess

from spark_common.contracts.swaps import Phase
from spark_common.plain_http import plain_client
from spark_common.testing.ports import free_port
from spark_common.testing.wait import until

pytestmark = pytest.mark.connected


@pytest.fixture
async def lonely_gateway(nats, tmp_path):
    """A gateway whose runtime does not listen."""
    await nats.start()
    process = GatewayProcess(nats, free_port(), tmp_path / "gateway.log")
    yield process
    await process.end(signal.SIGKILL)


async def test_a_running_swap_holds_chat_until_its_end_or_that_of_the_gateway(
    nats, gateway, swapper
):
    await gateway.start()
    async with plain_client(base_url=gateway.url, timeout=60) as http:

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
    async with plain_client(base_url=url, timeout=60) as http:
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
