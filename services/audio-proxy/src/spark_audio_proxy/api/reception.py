"""Takes recordings in: reads, decodes, keeps them for as long as their request lasts."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from starlette.requests import Request

from spark_audio_proxy.decoding.pool import DecoderPool
from spark_audio_proxy.decoding.sound import Channels, Sound
from spark_audio_proxy.intake.reading import read_upload
from spark_audio_proxy.intake.spool import Spool
from spark_audio_proxy.intake.upload import Upload
from spark_audio_proxy.metrics import SECONDS
from spark_audio_proxy.transcribing.caller import client_of, tenant_of
from spark_audio_proxy.transcribing.journey import Journey
from spark_common.clock import Clock
from spark_common.settings.speech import SpeechSettings


class Taken:
    """One request whose body has been read."""

    def __init__(
        self,
        upload: Upload,
        tenant: str,
        room: Path,
        journey: Journey,
        pool: DecoderPool,
        max_seconds: float,
    ) -> None:
        self.upload = upload
        self.tenant = tenant
        """Whose enrolled voices it may see."""
        self.journey = journey
        self._room = room
        self._pool = pool
        self._max_seconds = max_seconds

    async def sound(self, name: str = "file", channels: Channels = "mono") -> Sound:
        """Decode one of its recordings; raises SpeechError."""
        source = self.upload.file(name)
        with self.journey.step("decode"):
            sound = await self._pool.decode(
                source,
                self._room / f"{name}.decoded",
                max_seconds=self._max_seconds,
                channels=channels,
                param=name,
            )
        source.unlink()
        route = self.journey.state.get("route", "")
        SECONDS.labels(route).inc(sound.seconds)
        self.journey.state["sound_seconds"] = sound.seconds
        return sound

    async def decoded(self, data: bytes, name: str, max_seconds: float) -> Sound:
        """Decode a recording that came in a text field; ``name`` is that of the field."""
        source = self._room / f"{len(list(self._room.iterdir()))}.given"
        source.write_bytes(data)
        return await self._pool.decode(
            source, source.with_suffix(".decoded"), max_seconds=max_seconds, param=name
        )


class Reception:
    """The one door for recordings."""

    def __init__(
        self,
        spool: Spool,
        pool: DecoderPool,
        settings: Callable[[], SpeechSettings],
        clock: Clock,
    ) -> None:
        self._spool = spool
        self._pool = pool
        self._settings = settings
        self._clock = clock

    async def take(self, request: Request, opened: AsyncExitStack) -> Taken:
        """Read the body of a request; everything of it is gone when ``opened`` is closed.

        Raises SpeechError, and ClientDisconnect when the client leaves in the middle.
        """
        length = request.headers.get("content-length", "")
        room = opened.enter_context(self._spool.room(int(length) if length.isdigit() else 0))
        state = request.scope["state"]
        state["stage"] = "upload"
        state["route"] = getattr(request.scope.get("route"), "path", "unmatched")
        await self._pool.expect()
        upload = await read_upload(request, room)
        journey = Journey(client_of(request), self._clock, state)
        tenant, longest = tenant_of(request), self._settings().max_audio_seconds
        return Taken(upload, tenant, room, journey, self._pool, longest)
