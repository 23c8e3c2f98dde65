"""audio-proxy in this process on a free port, in front of whatever server a test names."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn

from spark_audio_proxy.api.http_app import build_http
from spark_audio_proxy.feature import Feature
from spark_audio_proxy.intake.limiter import MEGABYTE
from spark_audio_proxy.permits.pace import Pace
from spark_audio_proxy.permits.permits import Permits
from spark_audio_proxy.permits.ports import Gate
from spark_audio_proxy.request_news import TellsRequests
from spark_audio_proxy.settings import DecodingSettings
from spark_audio_proxy.speakers.testing.memory import MemorySessions, MemoryVoices
from spark_audio_proxy.speakers.voice_store import VoiceStore
from spark_audio_proxy.testing.memory_gate import MemoryGate
from spark_audio_proxy.transcribing.guarding import Guardian, Unguarded
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_audio_proxy.wiring import Hearing, wire_hearing
from spark_common.clock import SystemClock
from spark_common.plain_http import plain_client
from spark_common.settings.speech import SpeechSettings
from spark_common.tasks import end


@dataclass
class AudioStand:
    """What a test sees."""

    url: str
    client: httpx.AsyncClient
    """Of requests to ``url``."""
    hearing: Hearing
    spool: Path
    settings: SpeechSettings
    """May be replaced: it is read at every request."""

    @property
    def left_behind(self) -> list[Path]:
        """Files of requests that are there now."""
        return [path for path in self.spool.rglob("*") if path.is_file() and path.suffix != ".lock"]


@asynccontextmanager
async def audio_stand(
    parakeet: str | None,
    folder: Path,
    *,
    settings: SpeechSettings | None = None,
    gate: Gate | None = None,
    guardian: Guardian | None = None,
    voices: VoiceStore | None = None,
    news: TellsRequests | None = None,
    more: Callable[[Hearing], Sequence[Feature]] = lambda hearing: (),
) -> AsyncIterator[AudioStand]:
    """Serve until left. ``parakeet``: base address of the speech server."""
    clock = SystemClock()
    spool = folder / "spool"
    stand: AudioStand

    def speech() -> SpeechSettings:
        return stand.settings

    http = UpstreamHttp("parakeet", "the speech server", lambda: parakeet)
    first = settings or SpeechSettings()
    permits = Permits(gate or MemoryGate(), speech, clock, Pace())
    hearing = wire_hearing(
        permits=permits,
        guardian=guardian or Unguarded(),
        http=http,
        speech=speech,
        decoding=DecodingSettings(spool_dir=spool),
        voices=voices or MemoryVoices(),
        kept_sessions=MemorySessions(),
        clock=clock,
    )
    features = (hearing.feature, *more(hearing))
    app = build_http(
        [router for feature in features for router in feature.routers],
        lambda: int(speech().max_upload_mb * MEGABYTE),
        clock,
        news,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    # asyncio, other than uvloop, would let the second write of an answer wait for the first.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(
        uvicorn.Config(app, http="httptools", lifespan="off", log_config=None, access_log=False)
    )
    client = plain_client(base_url=url, timeout=20.0)
    stand = AudioStand(url, client, hearing, spool, first)
    serving = asyncio.create_task(_served(server, listener))
    tasks = [asyncio.create_task(_run(loop)) for each in features for loop in each.background]
    try:
        yield stand
    finally:
        await client.aclose()
        server.should_exit = server.force_exit = True
        # To its end: a listener that is only closed stays with the loop.
        await serving
        await end(tasks)
        for feature in reversed(features):
            if feature.close is not None:
                await feature.close()
        await http.close()


async def _run(loop: Callable[[], object]) -> None:
    await loop()  # type: ignore[misc]


async def _served(server: uvicorn.Server, listener: socket.socket) -> None:
    await server._serve([listener])  # noqa: SLF001 the public way takes the signals of the process
