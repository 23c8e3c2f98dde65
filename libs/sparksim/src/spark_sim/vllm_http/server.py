"""uvicorn around the application, started and cut off at will."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import uvicorn

from spark_sim.vllm_http.app import VllmApp
from spark_sim.vllm_http.engine import Engine


class _QuietServer(uvicorn.Server):
    """uvicorn without hands on the process's signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the simulator."""
        yield


class EmbeddedServer:
    """An ASGI application on a socket of ours."""

    def __init__(self, app: Callable[..., Awaitable[None]], keep_alive_seconds: int = 5) -> None:
        self._app: Any = app
        self._keep_alive = keep_alive_seconds
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, listener: socket.socket) -> None:
        """Listen and answer; returns when connections are accepted."""
        config = uvicorn.Config(
            self._app, log_config=None, access_log=False, lifespan="off", ws="none",
            http="httptools", timeout_keep_alive=self._keep_alive, loop="none",
        )  # fmt: skip
        self._server = _QuietServer(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not (self._server.started or self._task.done()):  # noqa: ASYNC110 - no event there
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Close the listener and cut every connection, as the death of a process does."""
        if self._server is None or self._task is None:
            return
        server, task = self._server, self._task
        self._server = self._task = None
        # At once and without waiting: whoever is cancelled here must not keep the port.
        for listening in getattr(server, "servers", []):
            listening.close()
        for connection in list(server.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        server.should_exit = server.force_exit = True
        await asyncio.gather(task, return_exceptions=True)


class VllmServer(EmbeddedServer):
    """vLLM's HTTP server."""

    def __init__(self, engine: Engine, write_log: Callable[[str], Awaitable[None]]) -> None:
        super().__init__(VllmApp(engine, write_log))
