"""Puts text to speech together."""

from collections.abc import Callable
from pathlib import Path

from spark_audio_proxy.feature import Feature
from spark_audio_proxy.listing.book import VoiceBook
from spark_audio_proxy.permits.permits import Permits
from spark_audio_proxy.speaking.cache import Cache
from spark_audio_proxy.speaking.engines import Engine
from spark_audio_proxy.speaking.kokoro import Kokoro
from spark_audio_proxy.speaking.magpie import Magpie
from spark_audio_proxy.speaking.routes import speaking_router
from spark_audio_proxy.speaking.speaker import Speaker
from spark_audio_proxy.speaking.voices import Casting
from spark_audio_proxy.speaking.voices import Engine as EngineName
from spark_audio_proxy.speaking.watched import Watched
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_common.clock import Clock
from spark_common.settings.voice import VoiceSettings

_MEGABYTE = 1024 * 1024


def wire_speaking(
    kokoro: UpstreamHttp,
    magpie: UpstreamHttp,
    book: VoiceBook,
    permits: Permits,
    settings: Callable[[], VoiceSettings],
    folder: Path,
    clock: Clock,
    alarm: Callable[[], None] = lambda: None,
) -> Feature:
    """Wire it. ``folder``: of what was spoken before; ``alarm``: Kokoro failed at real work."""

    async def casting(fresher: bool) -> Casting:
        spoken = await book.kokoro.voices(fresher=fresher)
        older = await book.magpie.voices(fresher=fresher) or ()
        now = settings()
        return Casting(
            kokoro=None if spoken is None else frozenset(voice.id for voice in spoken) or None,
            magpie=tuple(voice.id for voice in older) or None,
            owners=dict(pair.split("=", 1) for pair in reversed(now.tts_voices)),
            default=now.tts_voice,
        )

    engines: dict[EngineName, Engine] = {
        "kokoro": Watched(Kokoro(kokoro, clock), alarm),
        "magpie": Magpie(magpie),
    }
    speaker = Speaker(engines, casting)

    def room() -> int:
        now = settings()
        return int(now.tts_cache_mb * _MEGABYTE) if now.tts_cache else 0

    cache = Cache(folder, room)
    return Feature(routers=(speaking_router(speaker, cache, permits, clock),))
