"""Puts together what hears: intake, decoding, permits, the speech server, its routes."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from spark_audio_proxy.api.clustering import Clustering
from spark_audio_proxy.api.diarizing import Diarizing
from spark_audio_proxy.api.knowing import Knowing
from spark_audio_proxy.api.reception import Reception
from spark_audio_proxy.api.speaker_work import SpeakerWork
from spark_audio_proxy.api.status import Status
from spark_audio_proxy.api.transcript_work import TranscriptWork
from spark_audio_proxy.api.transcriptions import Transcriptions
from spark_audio_proxy.api.with_speakers import WithSpeakers
from spark_audio_proxy.decoding.pool import DecoderPool
from spark_audio_proxy.feature import Feature
from spark_audio_proxy.intake.spool import Spool
from spark_audio_proxy.people.enrolling import Enrolling
from spark_audio_proxy.people.sessions import SessionRoutes
from spark_audio_proxy.permits.pace import Pace
from spark_audio_proxy.permits.permits import Permits
from spark_audio_proxy.permits.redis_gate import RedisGate
from spark_audio_proxy.settings import DecodingSettings
from spark_audio_proxy.speakers.session_store import SessionStore
from spark_audio_proxy.speakers.sessions import Sessions
from spark_audio_proxy.speakers.voice_store import VoiceStore
from spark_audio_proxy.transcribing.calls import SpeechCalls
from spark_audio_proxy.transcribing.diarizer import Diarizer
from spark_audio_proxy.transcribing.echoes import EchoesInProcesses
from spark_audio_proxy.transcribing.guarding import Guardian
from spark_audio_proxy.transcribing.side_turns import TurnsOfSides
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
    transcripts: TranscriptWork
    speaker_work: SpeakerWork


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
    voices: VoiceStore,
    kept_sessions: SessionStore,
    clock: Clock,
    more: Callable[[], Mapping[str, Any]] = dict,
) -> Hearing:
    """Wire it; raises OSError when the spool folder cannot be used.

    ``more``: what else the status tells.
    """
    # It says of every malformed form which byte it did not expect.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    spool = Spool(decoding.spool)
    pool = DecoderPool(decoding.decode_workers, clock)
    reception = Reception(spool, pool, speech, clock)
    parakeet = Parakeet(http, clock)
    calls = SpeechCalls(permits, parakeet, guardian)
    transcriber = Transcriber(calls, parakeet, speech)
    diarizer = Diarizer(calls, parakeet, speech)
    speakers = SpeakerTranscriber(transcriber, diarizer, speech)
    knowing = Knowing(diarizer, voices, speech)
    sessions = Sessions(kept_sessions, clock)
    transcripts = TranscriptWork(transcriber, speakers, knowing)
    speaker_work = SpeakerWork(
        speakers,
        TwoSides(transcriber, TurnsOfSides(diarizer), speakers, EchoesInProcesses(pool)),
        knowing,
    )

    async def close() -> None:
        await pool.close()
        await permits.close()
        spool.close()

    return Hearing(
        Feature(
            routers=(
                Transcriptions(reception, transcripts, speech).router(),
                WithSpeakers(reception, speaker_work).router(),
                Diarizing(reception, diarizer, calls, parakeet, speech, sessions).router(),
                SessionRoutes(sessions).router(),
                Enrolling(reception, diarizer, voices, speech, clock).router(),
                Clustering(speech).router(),
                Status(permits, parakeet, more).router(),
            ),
            background=(permits.run, pool.run),
            close=close,
        ),
        permits,
        reception,
        parakeet,
        transcripts,
        speaker_work,
    )
