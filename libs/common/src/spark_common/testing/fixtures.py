"""Real servers for tests: import the fixtures by name into a ``conftest.py``.

Tests that use them carry ``@pytest.mark.connected``. The servers listen on free loopback ports
and are killed with the test.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from spark_common.bus.provision import provision
from spark_common.clock import SystemClock
from spark_common.embedded import NatsServer, RedisServer


@pytest_asyncio.fixture
async def nats_server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """Yield a running nats-server with all streams, fresh for every test."""
    server = NatsServer(tmp_path / "nats")
    await server.start()
    try:
        await provision(server.settings("provisioner"), SystemClock())
        yield server
    finally:
        await server.kill()


@pytest_asyncio.fixture
async def redis_server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    """Yield a running redis-server, empty for every test."""
    server = RedisServer(tmp_path / "redis")
    await server.start()
    try:
        yield server
    finally:
        await server.kill()
