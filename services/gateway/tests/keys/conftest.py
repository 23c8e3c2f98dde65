"""A book of keys that a test writes, and a gateway that asks for them."""

import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest
from gateway_stand.beside import search_over
from gateway_stand.office import Office
from gateway_stand.runtime import FakeModel, FakeServed, a_catalogue

from spark_common.testing import MemoryBroker, MemoryBus
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.explaining.model_chat import UpstreamChat
from spark_gateway.front import build_front
from spark_sim.embed_http.app import EmbedServer
from spark_sim.qdrant.app import QdrantServer


@pytest.fixture
def office() -> Office:
    return Office()


@contextlib.asynccontextmanager
async def a_front(office: Office, served: FakeServed) -> AsyncIterator[httpx.AsyncClient]:
    broker = MemoryBroker(clock=office.clock)
    upstream = httpx.AsyncClient(transport=httpx.MockTransport(FakeModel().answer))
    chat = UpstreamChat(lambda: Upstream("127.0.0.1", 8888), upstream)
    bus = MemoryBus("gateway", broker)
    beside, search = search_over(EmbedServer(), QdrantServer(), office.clock)
    front = build_front(
        bus,
        office.clock,
        served,
        chat,
        search,
        catalogue=a_catalogue(served),
        entrance=office.entrance,
    )
    transport = httpx.ASGITransport(app=front.http, raise_app_exceptions=False)
    async with (
        upstream,
        beside,
        httpx.AsyncClient(transport=transport, base_url="http://gateway") as http,
    ):
        yield http


@pytest.fixture
def served() -> FakeServed:
    return FakeServed()


@pytest.fixture
async def http(office: Office, served: FakeServed) -> AsyncIterator[httpx.AsyncClient]:
    async with a_front(office, served) as client:
        yield client
