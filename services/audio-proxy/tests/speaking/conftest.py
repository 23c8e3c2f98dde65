"""audio-proxy in front of voices of its own, and clients of it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from spark_audio_proxy.api.http_app import build_http
from spark_audio_proxy.listing.wiring import voice_book, wire_listing
from spark_audio_proxy.permits.pace import Pace
from spark_audio_proxy.permits.permits import Permits
from spark_audio_proxy.speaking.wiring import wire_speaking
from spark_audio_proxy.testing.memory_gate import MemoryGate
from spark_audio_proxy.testing.voices import VoiceStand
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_common.clock import SystemClock
from spark_common.settings.speech import SpeechSettings
from spark_common.settings.voice import VoiceSettings
from spark_common.testing.later import Later
from spark_sim.vllm_http.server import EmbeddedServer

sdk = Later("openai")


class Proxy:
    """audio-proxy between a client and the stand."""

    def __init__(self, folder: Path) -> None:
        self.stand = VoiceStand()
        self.settings = VoiceSettings()
        self.has_magpie = False
        self.alarms: list[str] = []
        self.folder = folder
        self.limits = SpeechSettings(audio_ceiling=3)
        self.permits = Permits(MemoryGate(), lambda: self.limits, SystemClock(), Pace())
        self._servers: list[EmbeddedServer] = []
        self._closing: list[Callable[[], Any]] = []
        self.kokoro_url = self.url = ""

    async def start(self) -> None:
        self.kokoro_url = await self._serve(self.stand.kokoro)
        magpie_url = await self._serve(self.stand.magpie)
        clock = SystemClock()
        kokoro = UpstreamHttp("kokoro", "the voice server", lambda: self.kokoro_url)
        magpie = UpstreamHttp("magpie", "Magpie", lambda: magpie_url if self.has_magpie else None)
        parakeet = UpstreamHttp("parakeet", "speech", lambda: "http://127.0.0.1:9")
        book = voice_book(kokoro, magpie, clock)
        listing = wire_listing(book, parakeet, lambda: True, clock)
        speaking = wire_speaking(
            kokoro,
            magpie,
            book,
            self.permits,
            lambda: self.settings,
            self.folder,
            clock,
            lambda: self.alarms.append("kokoro"),
        )
        self._permitting = asyncio.create_task(self.permits.run())
        self._closing = [self.permits.close, book.close, kokoro.close, magpie.close, parakeet.close]
        routers = [*listing.routers, *speaking.routers]
        self.url = await self._serve(build_http(routers, lambda: 10_000_000, SystemClock()))

    async def close(self) -> None:
        for server in self._servers:
            await server.stop()
        self._permitting.cancel()
        for close in self._closing:
            await close()

    async def _serve(self, app: Any) -> str:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            await app(scope, receive, send)

        server, listener = EmbeddedServer(answer), socket.create_server(("127.0.0.1", 0))
        await server.start(listener)
        self._servers.append(server)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[Proxy]:
    proxy = Proxy(tmp_path / "spoken")
    await proxy.start()
    yield proxy
    await proxy.close()


@pytest.fixture
async def openai(proxy: Proxy) -> AsyncIterator[Any]:
    async with sdk.AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
async def http(proxy: Proxy) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=proxy.url, trust_env=False, timeout=60) as client:
        yield client
