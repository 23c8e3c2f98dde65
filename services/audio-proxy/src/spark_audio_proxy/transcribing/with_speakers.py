"""Words and turns of one recording become blocks: who said what."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from spark_audio_proxy.decoding.sound import Sound
from spark_audio_proxy.dual.bleed import Suppressed
from spark_audio_proxy.merging.attribution import Attributed, attribute
from spark_audio_proxy.merging.rules import MergeRules
from spark_audio_proxy.metrics import FLIPS, UNATTRIBUTED
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speech import Diarization, Transcript
from spark_audio_proxy.stitching.speakers import StitchedSpeakers
from spark_audio_proxy.transcribing.diarizer import Diarizer
from spark_audio_proxy.transcribing.journey import Journey
from spark_audio_proxy.transcribing.partial import PartialError
from spark_audio_proxy.transcribing.transcriber import Told, Transcriber
from spark_common.settings.speech import SpeechSettings
from spark_common.tasks import end

UNAVAILABLE = "diarization_unavailable"
_SPEAKERLESS = frozenset((UNAVAILABLE, "upstream_down", "upstream_bad_response"))
_AT_ALL = Diarization(())


@dataclass(frozen=True)
class SpeakerWishes:
    """What a caller wants beyond words."""

    language: str | None = None
    max_speakers: int | None = None
    require_speakers: bool = True
    """Whether an answer without speakers is none."""
    allow_partial: bool = False


@dataclass(frozen=True)
class SpeakerTranscript:
    """Who said what, and what was learned on the way."""

    transcript: Transcript
    fingerprints: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Voice print by speaker, as the speakers are called in the transcript."""
    models: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str | None] = field(default_factory=dict)
    """What each of the diarizer's speakers is called in the transcript."""
    unattributed: int = 0
    suppressed: tuple[Suppressed, ...] = ()
    """Words that the microphone heard of the other side."""
    echo_db: float | None = None
    """By how much taking the other side out made the microphone quieter; None where it was not."""


Naming = Callable[[StitchedSpeakers], Mapping[str, str | None]]
"""Gives names to some of the diarizer's speakers, None to those who are nobody."""


def nameless(found: StitchedSpeakers) -> Mapping[str, str | None]:
    """Name nobody."""
    return found.names


class SpeakerTranscriber:
    """Transcribes with speakers; both calls one after the other, unless the owner says otherwise.

    Two at once would take two places at the GPU, and some builds of the server fail at it.
    """

    def __init__(
        self,
        transcriber: Transcriber,
        diarizer: Diarizer,
        settings: Callable[[], SpeechSettings],
    ) -> None:
        self._transcriber = transcriber
        self._diarizer = diarizer
        self._settings = settings

    async def transcribe(
        self,
        sound: Sound,
        journey: Journey,
        wishes: SpeakerWishes,
        naming: Naming = nameless,
        told: Told = lambda words: None,
    ) -> SpeakerTranscript:
        """Return who said what; raises SpeechError."""

        async def words() -> Transcript:
            return await self._transcriber.transcribe(
                sound, wishes.language, journey, told, allow_partial=wishes.allow_partial
            )

        async def turns() -> StitchedSpeakers | SpeechError | None:
            try:
                return await self._turns(sound, journey, wishes)
            except SpeechError as error:
                if not wishes.allow_partial:
                    raise
                return error

        if self._settings().parallel_asr_diar:
            both = asyncio.create_task(words()), asyncio.create_task(turns())
            try:
                transcript, found = await asyncio.gather(*both)
            finally:
                await end(both)
        else:
            transcript, found = await words(), await turns()
        if isinstance(found, SpeechError):
            raise PartialError(found, transcript) from found
        with journey.step("merge"):
            # Thousands of words: not on the loop.
            return await asyncio.to_thread(self._merged, transcript, found, naming)

    async def _turns(
        self, sound: Sound, journey: Journey, wishes: SpeakerWishes
    ) -> StitchedSpeakers | None:
        try:
            return await self._diarizer.diarize(sound, journey, max_speakers=wishes.max_speakers)
        except SpeechError as error:
            if wishes.require_speakers or error.code not in _SPEAKERLESS:
                raise
            return None

    def _merged(
        self, transcript: Transcript, found: StitchedSpeakers | None, naming: Naming
    ) -> SpeakerTranscript:
        settings = self._settings()
        rules = MergeRules(gap_seconds=settings.merge_gap_s, flip_below=settings.merge_ev_flip)
        diarization = found.diarization if found else _AT_ALL
        names = naming(found) if found else {}
        merged: Attributed = attribute(transcript.words, diarization, rules, names)
        if found is not None and merged.words:
            UNATTRIBUTED.observe(merged.unattributed / len(merged.words))
            FLIPS.inc(merged.flips)
        warnings = (
            *transcript.warnings,
            *((UNAVAILABLE,) if found is None else merged.warnings),
        )
        return SpeakerTranscript(
            replace(transcript, words=merged.words, blocks=merged.blocks, warnings=warnings),
            {
                shown: vector
                for label, vector in diarization.fingerprints.items()
                if (shown := merged.labels.get(label)) is not None
            },
            diarization.models,
            merged.labels,
            merged.unattributed,
        )
