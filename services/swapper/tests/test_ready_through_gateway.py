"""Swaps with a real gateway in front: streams that are drained, tokens by the client path."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from spark_common.bus.nats import connect_bus
from spark_common.clock import SystemClock
from spark_common.contracts.models import LIST_MODELS, ListModels
from spark_common.contracts.swaps import (
    GET_SWAP,
    READ_SWAP_LOG,
    REQUEST_SWAP,
    GetSwap,
    GetSwapLog,
    Phase,
    RequestSwap,
    SwapView,
)
from spark_common.plain_http import plain_client
from spark_common.redis_access import connect_redis
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.settings import HttpSettings
from spark_common.tasks import end
from spark_common.testing.ports import free_port
from spark_common.testing.wait import until
from spark_sim.cluster import SimulatedCluster
from spark_sim.two_sparks import two_sparks
from spark_swapper.app import Swapper, wire
from spark_swapper.settings import SwapperSettings, SwapTimings

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

QWEN, GEMMA = "qwen3.6-35b-a3b", "gemma-4-26b"
FALLBACK = "The first token is asked for through the runtime's own port"
TIMINGS = SwapTimings(
    drain_seconds=12,
    stop_seconds=120,
    load_deadline_seconds=150,
    stall_seconds=60,
    poll_seconds=0.3,
)


@dataclass
class House:
    """Two simulated Sparks, a swapper in this process, a gateway in its own."""

    settings: SwapperSettings
    cluster: SimulatedCluster
    asker: object
    seed_file: Path
    nats_url: str
    log: Path
    port: int = field(default_factory=free_port)
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)
    closers: list[object] = field(default_factory=list)
    gateway: asyncio.subprocess.Process | None = None
    swapper: Swapper | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start_swapper(self) -> None:
        clock = SystemClock()
        bus = await connect_bus(self.settings.bus, "swapper", clock)
        redis = connect_redis(self.settings.redis, "swapper", idempotent_reads=True)
        http = plain_client()
        shell = SshShell(self.settings.cluster, clock, SshTimes(remember_seconds=1))
        # The bus first: a question that comes late would open Redis again.
        self.closers = [bus.close, redis.aclose, http.aclose, shell.close]
        swapper = wire(self.settings, bus=bus, redis=redis, shell=shell, http=http, clock=clock)
        self.swapper, path = swapper, swapper.path
        await bus.serve(
            "swapper", "0.1.0", "test", [*path.handlers.verbs(), *path.log_verbs.verbs()]
        )
        loops = (path.teller, path.observer, path.worker, path.cancelling, path.sweeping)
        self.tasks = [asyncio.create_task(loop.run()) for loop in loops]
        self.tasks.append(asyncio.create_task(swapper.shelf.keep_fresh()))
        self.tasks.append(asyncio.create_task(path.keep_examining()))

    async def stop_swapper(self) -> None:
        await end(self.tasks)
        for close in self.closers:
            await close()

    async def start_gateway(self) -> None:
        head = self.settings.cluster.hosts[0]
        env = os.environ | {
            "NATS_URL": self.nats_url,
            "NATS_SEED_FILE": str(self.seed_file),
            "SPARK1_HOST": head.address,
            "SPARK1_USER": "spark",
            "VLLM_PORT": str(self.settings.cluster.vllm_port),
            "BIND_PORT": str(self.port),
        }
        with self.log.open("ab") as log:
            self.gateway = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "spark_gateway", env=env, stdout=log, stderr=log
            )

        async def answers() -> bool:
            async with plain_client(timeout=60) as client:
                with contextlib.suppress(httpx.HTTPError):
                    status = (await client.get(f"{self.url}/api/status")).json()
                    return bool(status["bus"]["connected"])
            return False

        await until(answers, "the gateway and its bus")

    async def kill_gateway(self) -> None:
        if self.gateway is not None:
            with contextlib.suppress(ProcessLookupError):
                self.gateway.send_signal(signal.SIGKILL)
            await self.gateway.wait()
            self.gateway = None

    async def request(self, model: str, id: str, **more: object) -> None:
        await self.asker.call(REQUEST_SWAP, RequestSwap(model=model, id=id, **more))

    async def get(self, swap_id: str) -> SwapView:
        return await self.asker.call(GET_SWAP, GetSwap(id=swap_id))

    async def reached(self, swap_id: str, *phases: Phase) -> SwapView:
        async with asyncio.timeout(150):
            while (view := await self.get(swap_id)).phase not in phases:
                assert view.finished_at is None, (view.message, view.cause)
                await asyncio.sleep(0.02)
        return view

    async def ended(self, swap_id: str) -> SwapView:
        async with asyncio.timeout(150):
            while (view := await self.get(swap_id)).finished_at is None:
                await asyncio.sleep(0.05)
        return view

    async def written(self, swap_id: str) -> list[str]:
        return (await self.asker.call(READ_SWAP_LOG, GetSwapLog(id=swap_id, limit=5000))).lines

    async def stream(self, tokens: int) -> AsyncIterator[str]:
        """Chat through the gateway for about this many tokens."""
        body = {
            "messages": [{"role": "user", "content": "Tell me everything."}],
            "max_tokens": tokens,
            "ignore_eos": True,
            "stream": True,
        }
        async with (
            plain_client(timeout=60) as client,
            client.stream("POST", f"{self.url}/v1/chat/completions", json=body) as answer,
        ):
            assert answer.status_code == 200
            async for line in answer.aiter_lines():
                if line:
                    yield line

    async def chat(self) -> httpx.Response:
        body = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4}
        async with plain_client(timeout=60) as client:
            # Answered at once: held, it would wait for the end of the swap.
            return await client.post(
                f"{self.url}/v1/chat/completions", json=body, headers={"prefer": "wait=0"}
            )


@pytest_asyncio.fixture
async def house(tmp_path, nats_server, redis_server) -> AsyncIterator[House]:
    async with AsyncExitStack() as exits:
        sparks = await exits.enter_async_context(
            two_sparks(tmp_path, speed=300.0, tokens_per_second=200.0)
        )
        settings = SwapperSettings(
            bus=nats_server.settings("swapper"),
            redis=redis_server.settings,
            http=HttpSettings(bind_port=0),
            cluster=sparks.settings,
            timings=TIMINGS,
            data_dir=tmp_path / "data",
        )
        bus = nats_server.settings("gateway")
        asker = await connect_bus(bus, "gateway", SystemClock())
        exits.push_async_callback(asker.close)
        house = House(
            settings, sparks.cluster, asker, bus.seed_file, bus.url, log=tmp_path / "gateway.log"
        )
        exits.push_async_callback(house.kill_gateway)
        await house.start_swapper()
        exits.push_async_callback(house.stop_swapper)
        await house.start_gateway()
        await house.request(QWEN, "first")
        view = await house.ended("first")
        assert view.phase is Phase.READY, (view.message, view.cause)
        yield house


async def test_a_stream_is_drained_protected_and_only_cut_off_by_force(house):
    assert not any(FALLBACK in line for line in await house.written("first"))
    assert (await house.chat()).status_code == 200

    # It ends within the drain time: the swap waits for it, and it is whole.
    lines: list[str] = []

    async def listen(tokens):
        lines.clear()
        async for line in house.stream(tokens):
            lines.append(line)

    listening = asyncio.create_task(listen(600))
    await until(lambda: len(lines) > 3, "the stream")
    await house.request(GEMMA, "waits")
    await house.reached("waits", Phase.DRAINING)
    refused = await house.chat()
    while refused.status_code == 200:  # until the gateway has heard of it as well
        refused = await house.chat()
    assert not listening.done()
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "model_loading")
    assert "retry-after" in refused.headers
    await listening
    assert lines[-1] == "data: [DONE]"
    view = await house.ended("waits")
    assert (view.phase, view.serving) == (Phase.READY, GEMMA), (view.message, view.cause)

    # It takes longer: nothing is touched, and the door is open again at once.
    listening = asyncio.create_task(listen(12_000))
    await until(lambda: len(lines) > 3, "the stream")
    await house.request(QWEN, "protects")
    view = await house.ended("protects")
    assert (view.phase, view.cause.code, view.serving) == (Phase.FAILED, "still_answering", GEMMA)
    assert "was still being written after 12 s; nothing was touched." in view.cause.sentence

    async def open_again():
        return (await house.chat()).status_code == 200

    await until(open_again, "the door is open again")
    assert not listening.done()

    # With force it is cut off, and the reader is told.
    await house.request(QWEN, "forces", force=True)
    view = await house.ended("forces")
    assert (view.phase, view.serving) == (Phase.READY, QWEN), (view.message, view.cause)
    await listening
    assert "upstream_disconnected" in lines[-1]
    assert "x-spark-control-pass" not in house.log.read_text()


async def test_without_a_gateway_and_with_gibberish_it_is_said_kept_and_cleared(house):
    async def listen():
        with contextlib.suppress(httpx.HTTPError):
            async for _ in house.stream(400):
                started.set()

    started = asyncio.Event()
    listening = asyncio.create_task(listen())
    await started.wait()
    await house.request(GEMMA, "babbles")
    await house.reached("babbles", Phase.DRAINING)
    await house.kill_gateway()
    await listening
    await house.cluster.behave("spark1", "gibberish")
    view = await house.ended("babbles")
    assert (view.phase, view.serving) == (Phase.READY, GEMMA), (view.message, view.cause)
    assert "gibberish: it is one piece of text over and over" in view.degraded
    menu = await house.asker.call(LIST_MODELS, ListModels())
    assert (menu.runtime.state, menu.runtime.model) == ("degraded", GEMMA)
    launched = len(house.cluster.journal.of("runtime_launched"))

    # Else its command would come again, and only after a while.
    await until(lambda: house.swapper.path.worker.running is None, "the swap is told to its end")
    await house.stop_swapper()
    await house.start_swapper()

    async def still_degraded():
        menu = await house.asker.call(LIST_MODELS, ListModels())
        return menu.runtime.state == "degraded"

    await until(still_degraded, "the restarted swapper remembers it")
    lines = await house.written("babbles")
    assert f"{FALLBACK}: no gateway answers." in lines
    assert any("Loading safetensors" in line for line in lines)
    assert any("gibberish" in line for line in lines)
    assert not any("!!!!" in line for line in lines)
    assert len(house.cluster.journal.of("runtime_launched")) == launched

    await house.cluster.behave("spark1", "ok")
    await house.request(QWEN, "clears")
    view = await house.ended("clears")
    assert (view.phase, view.degraded) == (Phase.READY, None), (view.message, view.cause)
    menu = await house.asker.call(LIST_MODELS, ListModels())
    assert (menu.runtime.state, menu.runtime.canary) == ("serving", None)
