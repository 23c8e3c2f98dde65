"""A talk in two channels, the microphone and the other side: which of them said what."""

import asyncio
from dataclasses import dataclass, replace

import numpy as np

from spark_audio_proxy.decoding.sound import ENERGY_SECONDS, Cleared, Sound
from spark_audio_proxy.dual.clocks import loudness_at_pace, turns_at_pace, words_at_pace
from spark_audio_proxy.dual.detection import CHANNELS_IDENTICAL, Compared, compared
from spark_audio_proxy.dual.levels import Channels
from spark_audio_proxy.dual.merge import DualAttributed, Sides, SideTurns, merge_sides
from spark_audio_proxy.loudness import Loudness, loudness_of_levels
from spark_audio_proxy.metrics import BLEED
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speech import Transcript
from spark_audio_proxy.transcribing.echoes import ClearsEchoes
from spark_audio_proxy.transcribing.journey import Journey
from spark_audio_proxy.transcribing.partial import PartialError
from spark_audio_proxy.transcribing.side_turns import Turns, TurnsOfSides
from spark_audio_proxy.transcribing.transcriber import Transcriber
from spark_audio_proxy.transcribing.with_speakers import (
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
    tell_local_apart: bool = False
    clear_echo: bool = True
    """Whether what the loudspeaker said is taken out of the microphone's sound."""


@dataclass(frozen=True)
class _Heard:
    near: Transcript
    far: Transcript
    failed: SpeechError | None = None
    """Why some of it is missing."""


class TwoSides:
    """Transcribes both channels and leaves out what the microphone heard of the other side.

    What can be taken out of the sound is; the words are compared for what is left of it.
    """

    def __init__(
        self,
        transcriber: Transcriber,
        turns: TurnsOfSides,
        single: SpeakerTranscriber,
        echoes: ClearsEchoes,
    ) -> None:
        """``single``: for a recording that has only one side after all."""
        self._transcriber = transcriber
        self._turns = turns
        self._single = single
        self._echoes = echoes

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
        both = await asyncio.to_thread(_compared, local, remote)
        if not both.are_two_sides:
            louder = (local, remote)[both.louder]
            found = await self._single.transcribe(louder, journey, wishes, naming)
            told = found.transcript
            warned = replace(told, warnings=(*told.warnings, CHANNELS_IDENTICAL))
            return replace(found, transcript=warned)
        cleared = Cleared(local)
        if dual.clear_echo:
            with journey.step("echo"):
                cleared = await self._echoes.cleared(local, remote)
        heard = await self._heard(cleared.sound, remote, journey, wishes)
        turns = Turns()
        if heard.failed is None:
            try:
                turns = await self._turns.of(
                    cleared.sound if dual.tell_local_apart else None,
                    remote if dual.tell_remote_apart else None,
                    journey,
                    wishes,
                )
            except SpeechError as error:
                if not wishes.allow_partial:
                    raise
                heard = replace(heard, failed=error)
        with journey.step("merge"):
            merged = await asyncio.to_thread(_merged, cleared, remote, heard, turns, dual, naming)
        BLEED.inc(len(merged.suppressed))
        found = _answer(cleared, remote, heard, turns, merged)
        if heard.failed is not None:
            raise PartialError(heard.failed, found.transcript) from heard.failed
        return found

    async def _heard(
        self, local: Sound, remote: Sound, journey: Journey, wishes: SpeakerWishes
    ) -> _Heard:
        """Return the words of both sides; parts may be missing where the caller allows it."""
        found: list[Transcript] = []
        failed: SpeechError | None = None
        for side in (local, remote):
            try:
                words = await self._transcriber.transcribe(
                    side, wishes.language, journey, allow_partial=wishes.allow_partial
                )
            except PartialError as error:
                failed, words = error, error.transcript
            found.append(words)
        return _Heard(found[0], found[1], failed)


def _compared(local: Sound, remote: Sound) -> Compared:
    one, other = (np.memmap(side.pcm, np.int16, "r") for side in (local, remote))
    return compared(one, other)


def _merged(
    cleared: Cleared,
    remote: Sound,
    heard: _Heard,
    turns: Turns,
    dual: DualWishes,
    naming: Naming,
) -> DualAttributed:
    near, far = (
        None if side is None else SideTurns(side.diarization, naming(side))
        for side in (turns.local, turns.remote)
    )
    far_words, far_loudness = heard.far.words, _loudness(remote)
    if cleared.drift:
        pace = 1 + cleared.drift
        far_words = words_at_pace(far_words, pace)
        far_loudness = loudness_at_pace(far_loudness, pace)
        far = far and replace(far, diarization=turns_at_pace(far.diarization, pace))
    return merge_sides(
        Sides(heard.near.words, far_words, dual.local_speaker),
        Channels(_loudness(cleared.sound), far_loudness),
        far,
        near,
        known_lag=cleared.lag,
    )


def _loudness(sound: Sound) -> Loudness:
    return loudness_of_levels(np.fromfile(sound.energy, dtype=np.float32), ENERGY_SECONDS)


def _answer(
    cleared: Cleared, remote: Sound, heard: _Heard, turns: Turns, merged: DualAttributed
) -> SpeakerTranscript:
    told = dict.fromkeys(
        (*heard.near.warnings, *heard.far.warnings, *turns.warnings, *merged.warnings)
    )
    transcript = Transcript(
        merged.words,
        max(cleared.sound.seconds, remote.seconds),
        heard.near.language or heard.far.language,
        merged.blocks,
        tuple(told),
    )
    prints = {
        shown: vector
        for side in turns.known
        for label, vector in side.diarization.fingerprints.items()
        if (shown := merged.labels.get(label)) is not None
    }
    models = {name: id_ for side in turns.known for name, id_ in side.diarization.models.items()}
    return SpeakerTranscript(
        transcript,
        prints,
        models,
        merged.labels,
        sum(word.speaker is None for word in merged.words),
        tuple(merged.suppressed),
        None if cleared.lag is None else cleared.taken_db,
    )
