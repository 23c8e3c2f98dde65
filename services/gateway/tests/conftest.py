"""A running gateway without a socket, on a bus in memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import httpx
import pytest
from gateway_stand.beside import search_over
from gateway_stand.runtime import FakeModel, FakeServed, a_catalogue
from gateway_stand.sse_client import SseClient, until
from gateway_stand.swapper import FakeSwapper

from spark_common.bus import Bus
from spark_common.clock import Clock, SystemClock
from spark_common.testing import MemoryBroker, MemoryBus
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.explaining.model_chat import UpstreamChat
from spark_gateway.front import Front, build_front
from spark_sim.embed_http.app import EmbedServer
from spark_sim.qdrant.app import QdrantServer


@dataclass
class Bench:
    """A running gateway without a socket."""

    broker: MemoryBroker
    swapper: FakeSwapper
    served: FakeServed
    model: FakeModel
    front: Front
    http: httpx.AsyncClient
    loops: dict[str, asyncio.Task[None]]
    embed: EmbedServer
    qdrant: QdrantServer

    async def stop_reading(self) -> None:
        """Let the gateway fall behind what is stored."""
        self.loops["hub"].cancel()
        await asyncio.gather(self.loops["hub"], return_exceptions=True)

    def read_on(self) -> None:
        """Let it catch up."""
        self.loops["hub"] = asyncio.create_task(self.front.hub.run())

    def stream(self, path: str, method: str = "GET", **headers: str) -> SseClient:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return SseClient(self.front.http, path, named, method)


@pytest.fixture
def eventually() -> Callable[..., Awaitable[None]]:
    return until


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with a_bench() as made:
        await until(lambda: made.front.hub.caught_up)
        yield made


@contextlib.asynccontextmanager
async def a_bench(
    *, swapper_answers: bool = True, clock: Clock | None = None
) -> AsyncIterator[Bench]:
    clock = clock or SystemClock()
    broker = MemoryBroker(clock=clock)
    swapper = FakeSwapper(MemoryBus("swapper", broker))
    if swapper_answers:
        await swapper.serve()
    served = FakeServed()
    model = FakeModel()
    upstream = httpx.AsyncClient(transport=httpx.MockTransport(model.answer))
    chat = UpstreamChat(lambda: Upstream("127.0.0.1", 8888), upstream)
    catalogue = a_catalogue(served)
    embed, qdrant = EmbedServer(), QdrantServer()
    beside, search = search_over(embed, qdrant, clock)
    front = build_front(
        MemoryBus("gateway", broker), clock, served, chat, search, catalogue=catalogue
    )
    front.board.on_picture(catalogue.on_picture)
    loops = {
        "hub": asyncio.create_task(front.hub.run()),
        "jobs": asyncio.create_task(front.jobs.run()),
        "events": asyncio.create_task(front.events.run()),
        "board": asyncio.create_task(front.board.run()),
        "bulletins": asyncio.create_task(front.bulletins.run()),
    }
    transport = httpx.ASGITransport(app=front.http, raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
            yield Bench(broker, swapper, served, model, front, http, loops, embed, qdrant)
    finally:
        await upstream.aclose()
        await beside.aclose()
        for loop in loops.values():
            loop.cancel()
        await asyncio.gather(*loops.values(), return_exceptions=True)


@pytest.fixture(scope="session")
def make_bench() -> Callable[..., contextlib.AbstractAsyncContextManager[Bench]]:
    return a_bench


@pytest.fixture
def make_swapper() -> Callable[[Bus], FakeSwapper]:
    return FakeSwapper
