"""A book of keys that a test writes, and a gateway that asks for them."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from gateway_stand.runtime import FakeModel, FakeServed

from spark_common.contracts.api_keys import Ring, RingKey
from spark_common.key_text import digest_of, fresh_key
from spark_common.settings.policies import KeySettings
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_gateway.app import build_front
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.explaining.model_chat import UpstreamChat
from spark_gateway.keys.book import KeyBook
from spark_gateway.keys.entrance import Entrance
from spark_gateway.keys.sessions import Sessions


@dataclass
class Office:
    """Gives out keys as the coordinator would, without one."""

    clock: FakeClock = field(default_factory=FakeClock)
    settings: KeySettings = field(default_factory=lambda: KeySettings(api_keys=True))
    loaded: frozenset[str] = frozenset({"org/model"})
    keys: dict[str, RingKey] = field(default_factory=dict)
    version: int = 0

    def __post_init__(self) -> None:
        self.book = KeyBook(self.clock, lambda: self.loaded)
        self.entrance = Entrance(lambda: self.settings, self.book, Sessions(self.book, self.clock))

    def issue(self, name: str, *scopes: str, **given: Any) -> str:
        text = fresh_key()
        self.keys[name] = RingKey(
            id=name, name=name, digest=digest_of(text), scopes=list(scopes), **given
        )
        self.tell()
        return text

    def change(self, name: str, **given: Any) -> None:
        self.keys[name] = self.keys[name].model_copy(update=given)
        self.tell()

    def revoke(self, name: str) -> None:
        del self.keys[name]
        self.tell()

    def tell(self) -> None:
        self.version += 1
        ring = Ring(version=self.version, keys=list(self.keys.values()), session_secret="s" * 43)
        self.book.learn(ring)


@pytest.fixture
def office() -> Office:
    return Office()


@contextlib.asynccontextmanager
async def a_front(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    broker = MemoryBroker(clock=office.clock)
    upstream = httpx.AsyncClient(transport=httpx.MockTransport(FakeModel().answer))
    chat = UpstreamChat(lambda: Upstream("127.0.0.1", 8888), upstream)
    bus = MemoryBus("gateway", broker)
    front = build_front(bus, office.clock, FakeServed(), chat, entrance=office.entrance)
    transport = httpx.ASGITransport(app=front.http, raise_app_exceptions=False)
    async with upstream, httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        yield http


@pytest.fixture
async def http(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with a_front(office) as client:
        yield client
