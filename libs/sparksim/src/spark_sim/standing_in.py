"""For tests: one service of a Spark alone, on a free port of loopback."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from spark_sim.vllm_http.server import EmbeddedServer


@asynccontextmanager
async def standing_in(application: Callable[..., Awaitable[None]]) -> AsyncIterator[int]:
    """Serve an application and give its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = EmbeddedServer(application)
    await server.start(listener)
    try:
        yield listener.getsockname()[1]
    finally:
        await server.stop()
