"""Puts together what hears: intake, decoding, permits, the speech server, its routes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from spark_audio_proxy.api.clustering import Clustering
from spark_audio_proxy.api.diarizing import Diarizing
from spark_audio_proxy.api.reception import Reception
from spark_audio_proxy.api.status import Status
from spark_audio_proxy.api.transcriptions import Transcriptions
from spark_audio_proxy.api.with_speakers import WithSpeakers
from spark_audio_proxy.decoding.pool import DecoderPool
from spark_audio_proxy.feature import Feature
from spark_audio_proxy.intake.spool import Spool
from spark_audio_proxy.permits.pace import Pace
from spark_audio_proxy.permits.permits import Permits
from spark_audio_proxy.permits.redis_gate import RedisGate
from spark_audio_proxy.settings import DecodingSettings
from spark_audio_proxy.transcribing.calls import SpeechCalls
from spark_audio_proxy.transcribing.diarizer import Diarizer
from spark_audio_proxy.transcribing.guarding import Guardian
from spark_audio_proxy.transcribing.transcriber import Transcriber
from spark_audio_proxy.transcribing.two_sides import TwoSides
from spark_audio_proxy.transcribing.with_speakers import SpeakerTranscriber
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_audio_proxy.upstreams.parakeet import Parakeet
from spark_common.clock import Clock
from spark_common.ids import new_id
from spark_common.settings.speech import SpeechSettings


@dataclass(frozen=True)
class Hearing:
    """What other features use of it."""

    feature: Feature
    permits: Permits
    reception: Reception
    parakeet: Parakeet


def wire_permits(redis: Redis, speech: Callable[[], SpeechSettings], clock: Clock) -> Permits:
    """Return the permits of this process; every call to a speech server takes one."""
    return Permits(RedisGate(redis, new_id()), speech, clock, Pace())


def wire_hearing(
    *,
    permits: Permits,
    guardian: Guardian,
    http: UpstreamHttp,
    speech: Callable[[], SpeechSettings],
    decoding: DecodingSettings,
    clock: Clock,
    more: Callable[[], Mapping[str, Any]] = dict,
) -> Hearing:
    """Wire it; raises OSError when the spool folder cannot be used.

    ``more``: what else the status tells.
    """
    spool = Spool(decoding.spool)
    pool = DecoderPool(decoding.decode_workers, clock)
    reception = Reception(spool, pool, speech, clock)
    parakeet = Parakeet(http, clock)
    calls = SpeechCalls(permits, parakeet, guardian)
    transcriber = Transcriber(calls, parakeet, speech)
    diarizer = Diarizer(calls, parakeet, speech)
    speakers = SpeakerTranscriber(transcriber, diarizer, speech)

    async def close() -> None:
        await pool.close()
        await permits.close()
        spool.close()

    return Hearing(
        Feature(
            routers=(
                Transcriptions(reception, transcriber, speakers, speech).router(),
                WithSpeakers(
                    reception, speakers, TwoSides(transcriber, diarizer, speakers)
                ).router(),
                Diarizing(reception, diarizer, calls, parakeet, speech).router(),
                Clustering(speech).router(),
                Status(permits, parakeet, more).router(),
            ),
            background=(permits.run, pool.run),
            close=close,
        ),
        permits,
        reception,
        parakeet,
    )
