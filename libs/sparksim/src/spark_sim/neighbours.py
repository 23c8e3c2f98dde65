"""The HTTP side of voice, embeddings and Qdrant: what answers on their ports."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from spark_sim.embed_http.app import EmbedServer
from spark_sim.qdrant.app import QdrantServer
from spark_sim.speech.kokoro import PORT as VOICE_PORT
from spark_sim.speech.kokoro import Kokoro
from spark_sim.vllm_http.server import EmbeddedServer

EMBED_PORT = 8081
QDRANT_PORT = 6333


class Neighbours:
    """The services of one host."""

    def __init__(self, host: str, address: str, voice: Kokoro) -> None:
        self._address = address
        self.voice = voice
        self.embed = EmbedServer()
        self.qdrant = QdrantServer()
        self._applications: dict[int, Callable[..., Awaitable[None]]] = {}
        if host == "spark1":
            self._applications = {VOICE_PORT: voice}
        if host == "spark2":
            self._applications = {EMBED_PORT: self.embed, QDRANT_PORT: self.qdrant}
        self._running: dict[int, EmbeddedServer] = {}
        self._turning = asyncio.Lock()

    @property
    def ports(self) -> tuple[int, ...]:
        """Ports they listen on now."""
        return tuple(self._running)

    async def start(self) -> None:
        """Listen on every port. Raises OSError."""
        for port in self._applications:
            await self.open(port)

    async def open(self, port: int) -> None:
        """Listen on one port, where one of them has it. Raises OSError."""
        async with self._turning:
            application = self._applications.get(port)
            if application is not None and port not in self._running:
                server = EmbeddedServer(application)
                await server.start(socket.create_server((self._address, port)))
                self._running[port] = server

    async def shut(self, port: int) -> None:
        """Close one listener and its connections."""
        await asyncio.shield(self._shut(port))

    async def _shut(self, port: int) -> None:
        async with self._turning:
            if (server := self._running.pop(port, None)) is not None:
                await server.stop()

    async def stop(self) -> None:
        """Close listeners and connections; what Qdrant stores stays."""
        for port in list(self._running):
            await self.shut(port)
