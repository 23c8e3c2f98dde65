"""The services of the Sparks that have no container here: voice, embeddings, Qdrant."""

import socket
from collections.abc import Awaitable, Callable

from spark_sim.embed_http.app import EmbedServer
from spark_sim.qdrant.app import QdrantServer
from spark_sim.speech.voice import PORT as VOICE_PORT
from spark_sim.speech.voice import VoiceServer
from spark_sim.vllm_http.server import EmbeddedServer

EMBED_PORT = 8081
QDRANT_PORT = 6333


class Neighbours:
    """The services of one host."""

    def __init__(self, host: str, address: str, voice: VoiceServer) -> None:
        self._address = address
        self.voice = voice
        self.embed = EmbedServer()
        self.qdrant = QdrantServer()
        self._applications: dict[int, Callable[..., Awaitable[None]]] = {}
        if host == "spark1":
            self._applications = {VOICE_PORT: voice}
        if host == "spark2":
            self._applications = {EMBED_PORT: self.embed, QDRANT_PORT: self.qdrant}
        self._running: list[EmbeddedServer] = []

    @property
    def ports(self) -> tuple[int, ...]:
        """Ports they listen on now."""
        return tuple(self._applications) if self._running else ()

    async def start(self) -> None:
        """Listen on every port. Raises OSError."""
        for port, application in self._applications.items():
            server = EmbeddedServer(application)
            await server.start(socket.create_server((self._address, port)))
            self._running.append(server)

    async def stop(self) -> None:
        """Close listeners and connections; what Qdrant stores stays."""
        for running in self._running:
            await running.stop()
        self._running.clear()
