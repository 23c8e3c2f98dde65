"""A talk in two channels, the microphone and the other side: which of them said what."""

import asyncio
from dataclasses import dataclass, replace

import numpy as np

from spark_audio_proxy.decoding.sound import ENERGY_SECONDS, Sound
from spark_audio_proxy.dual.detection import CHANNELS_IDENTICAL, are_two_sides, compared
from spark_audio_proxy.dual.levels import Channels
from spark_audio_proxy.dual.merge import DualAttributed, Sides, merge_sides
from spark_audio_proxy.loudness import Loudness, loudness_of_levels
from spark_audio_proxy.metrics import BLEED
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speech import Transcript
from spark_audio_proxy.stitching.speakers import StitchedSpeakers
from spark_audio_proxy.transcribing.diarizer import Diarizer
from spark_audio_proxy.transcribing.journey import Journey
from spark_audio_proxy.transcribing.transcriber import Transcriber
from spark_audio_proxy.transcribing.with_speakers import (
    UNAVAILABLE,
    Naming,
    SpeakerTranscriber,
    SpeakerTranscript,
    SpeakerWishes,
    nameless,
)


@dataclass(frozen=True)
class DualWishes:
    """What a caller wants of two channels beside words."""

    local_speaker: str = "Local"
    tell_remote_apart: bool = True
    """Whether the remote side may be several people."""


class TwoSides:
    """Transcribes both channels and leaves out what the microphone heard of the other side."""

    def __init__(
        self, transcriber: Transcriber, diarizer: Diarizer, single: SpeakerTranscriber
    ) -> None:
        """``single``: for a recording that has only one side after all."""
        self._transcriber = transcriber
        self._diarizer = diarizer
        self._single = single

    async def transcribe(
        self,
        local: Sound,
        remote: Sound,
        journey: Journey,
        wishes: SpeakerWishes,
        dual: DualWishes,
        naming: Naming = nameless,
    ) -> SpeakerTranscript:
        """Return who said what; raises SpeechError."""
        correlation, quiet = await asyncio.to_thread(_compared, local, remote)
        if not are_two_sides(correlation, quiet):
            louder = max((local, remote), key=lambda side: side.measures.rms_dbfs)
            found = await self._single.transcribe(louder, journey, wishes, naming)
            told = found.transcript
            warned = replace(told, warnings=(*told.warnings, CHANNELS_IDENTICAL))
            return replace(found, transcript=warned)
        near = await self._transcriber.transcribe(local, wishes.language, journey)
        far = await self._transcriber.transcribe(remote, wishes.language, journey)
        turns, warnings = None, list(dict.fromkeys((*near.warnings, *far.warnings)))
        if dual.tell_remote_apart:
            try:
                turns = await self._diarizer.diarize(
                    remote, journey, max_speakers=wishes.max_speakers
                )
            except SpeechError as error:
                if wishes.require_speakers or error.code != UNAVAILABLE:
                    raise
                warnings.append(UNAVAILABLE)
        with journey.step("merge"):
            merged = await asyncio.to_thread(
                _merged, local, remote, (near, far), turns, dual, naming
            )
        BLEED.inc(len(merged.suppressed))
        return _answer(local, remote, (near, far), turns, merged, warnings)


def _compared(local: Sound, remote: Sound) -> tuple[float | None, bool]:
    one, other = (np.memmap(side.pcm, np.int16, "r") for side in (local, remote))
    return compared(one, other)


def _merged(
    local: Sound,
    remote: Sound,
    heard: tuple[Transcript, Transcript],
    turns: StitchedSpeakers | None,
    dual: DualWishes,
    naming: Naming,
) -> DualAttributed:
    return merge_sides(
        Sides(heard[0].words, heard[1].words, dual.local_speaker),
        Channels(_loudness(local), _loudness(remote)),
        None if turns is None else turns.diarization,
        None if turns is None else naming(turns),
    )


def _loudness(sound: Sound) -> Loudness:
    return loudness_of_levels(np.fromfile(sound.energy, dtype=np.float32), ENERGY_SECONDS)


def _answer(
    local: Sound,
    remote: Sound,
    heard: tuple[Transcript, Transcript],
    turns: StitchedSpeakers | None,
    merged: DualAttributed,
    warnings: list[str],
) -> SpeakerTranscript:
    language = heard[0].language or heard[1].language
    transcript = Transcript(
        merged.words,
        max(local.seconds, remote.seconds),
        language,
        merged.blocks,
        (*warnings, *merged.warnings),
    )
    prints = {} if turns is None else turns.diarization.fingerprints
    return SpeakerTranscript(
        transcript,
        {
            shown: vector
            for label, vector in prints.items()
            if (shown := merged.labels.get(label)) is not None
        },
        {} if turns is None else turns.diarization.models,
        merged.labels,
        sum(word.speaker is None for word in merged.words),
        tuple(merged.suppressed),
    )
