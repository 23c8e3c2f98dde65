"""Real servers on free ports, and a whole desk in this process."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from starlette.routing import Router

from spark_common.events import RedactionAudited
from spark_common.testing.clock import FakeClock
from spark_common.testing.fixtures import nats_server, redis_server
from spark_redaction.desk.desk import Desk
from spark_redaction.unknown.ports import NameFinder
from spark_redaction.vault.keyfile import MasterKey
from spark_redaction.vault.vault import Vault
from spark_redaction.web.routes import Routes
from spark_redaction.work.pool import Workers

__all__ = ["nats_server", "redis_server"]

KEY = MasterKey(bytes(range(32)))


@dataclass
class Stand:
    """A desk with its doors, its database and its clock."""

    http: httpx.AsyncClient
    desk: Desk
    clock: FakeClock
    database: Path
    told: list[RedactionAudited] = field(default_factory=list)
    """What an audit on the bus would have heard."""

    async def scrub(self, text: str, /, *, tenant: str = "a", **more: object) -> dict:
        """Scrub a text; fails when it is refused."""
        answer = await self.http.post(
            "/scrub", json={"text": text, **more}, headers={"x-tenant": tenant}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def back(self, task_id: str, text: str, *, tenant: str = "a", **more: object) -> dict:
        """Rehydrate a text; fails when it is refused."""
        answer = await self.http.post(
            "/rehydrate",
            json={"task_id": task_id, "text": text, **more},
            headers={"x-tenant": tenant},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    """One worker for all tests: starting one costs more than most tests."""
    pool = Workers(1, 16, 60.0)
    yield pool
    pool.close()


@pytest.fixture
def standing(workers: Workers, tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Stand]]:
    """A desk over a fresh database; ``standing(look)``: who looks for names, given the clock."""

    @asynccontextmanager
    async def begin(
        look: Callable[[FakeClock], Mapping[str, NameFinder]] | None = None,
    ) -> AsyncIterator[Stand]:
        clock = FakeClock()
        database = tmp_path / "map" / "redaction.db"
        vault = Vault(database, KEY)
        told: list[RedactionAudited] = []
        desk = Desk(vault, workers, clock, look(clock) if look else None, told.append)
        app = Router(routes=Routes(desk, 1 << 20).all())
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://redaction") as http:
            yield Stand(http, desk, clock, database, told)
        await vault.close()

    return begin


@pytest_asyncio.fixture
async def stand(
    standing: Callable[..., AbstractAsyncContextManager[Stand]],
) -> AsyncIterator[Stand]:
    """Yield a desk that has nobody who looks for names."""
    async with standing() as begun:
        yield begun
