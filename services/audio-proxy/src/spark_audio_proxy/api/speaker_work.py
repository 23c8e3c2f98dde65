"""A transcript with speakers as the fields of a request want it: of one channel or of two."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from spark_audio_proxy.api.knowing import Knowing
from spark_audio_proxy.api.options import LONGEST_NAME, known_speakers
from spark_audio_proxy.api.reception import Taken
from spark_audio_proxy.api.speaker_document import speaker_document
from spark_audio_proxy.decoding.sound import Sound
from spark_audio_proxy.dual.detection import CHANNELS_IDENTICAL
from spark_audio_proxy.intake.fields import Fields
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.transcribing.journey import Journey
from spark_audio_proxy.transcribing.knowing import KnownVoices
from spark_audio_proxy.transcribing.two_sides import DualWishes, TwoSides
from spark_audio_proxy.transcribing.with_speakers import (
    Naming,
    SpeakerTranscriber,
    SpeakerTranscript,
    SpeakerWishes,
)
from spark_audio_proxy.words.languages import language_code

MOST_SPEAKERS: Final = 32


@dataclass(frozen=True)
class Prepared:
    """Everything is read and decoded; ``work`` asks the speech server."""

    seconds: float
    work: Callable[[], Awaitable[Any]]
    """Gives the answer as JSON."""


class SpeakerWork:
    """What the routes of transcripts with speakers and of jobs have in common."""

    def __init__(self, single: SpeakerTranscriber, two_sides: TwoSides, knowing: Knowing) -> None:
        self._single = single
        self._two_sides = two_sides
        self._knowing = knowing

    async def prepared(self, taken: Taken) -> Prepared:
        """Read and decode what a request brought; raises SpeechError."""
        fields, journey = taken.upload.fields, taken.journey
        wishes, dual = wishes_of(fields), _dual_wishes(fields)
        shown = {name: fields.flag(name) for name in ("words", "fingerprints", "debug")}
        local = fields.whole("local_channel", 0, 1) or 0
        references, identify = known_speakers(fields), fields.flag("identify")
        if "local_file" in taken.upload.files or "remote_file" in taken.upload.files:
            pair: tuple[Sound, ...] = (
                await taken.sound("local_file"), await taken.sound("remote_file"),
            )  # fmt: skip
            sound = max(pair, key=lambda side: side.seconds)
        elif fields.one("mode").lower() == "dual":
            sound = await taken.sound(channels="both")
            pair = sound.sides if local == 0 else sound.sides[::-1]
        else:
            sound, pair = await taken.sound(), ()

        async def work() -> dict[str, Any]:
            known = await self._knowing.voices(taken, references, enrolled=identify)
            if len(pair) == 2:
                near, far = pair
                found = await self._two_sides.transcribe(
                    near, far, journey, wishes, dual, known.naming
                )
            else:
                found = await self._one(sound, journey, wishes, fields.one("mode"), known.naming)
            return speaker_document(found, journey, **shown) | candidates_of(found, known)

        return Prepared(sound.seconds, work)

    async def _one(
        self, sound: Sound, journey: Journey, wishes: SpeakerWishes, mode: str, naming: Naming
    ) -> SpeakerTranscript:
        found = await self._single.transcribe(sound, journey, wishes, naming)
        if mode.lower() != "dual":
            return found
        # Two channels were promised, and the recording has one.
        told = found.transcript
        warned = replace(told, warnings=(*told.warnings, CHANNELS_IDENTICAL))
        return replace(found, transcript=warned)


def candidates_of(found: SpeakerTranscript, known: KnownVoices) -> dict[str, Any]:
    """Return whom the voices of anonymous speakers come close to, where anybody is known."""
    if not known.voices:
        return {}
    near = {
        found.labels[label]: [{"name": each.name, "cosine": each.cosine}
                              for each in match.candidates]
        for label, match in known.matches.items()
        if match.name is None and found.labels.get(label)
    }  # fmt: skip
    return {"candidates": near}


def wishes_of(fields: Fields) -> SpeakerWishes:
    """Read what is wanted; raises SpeechError."""
    return SpeakerWishes(
        language=language_code(fields.one("language")),
        max_speakers=fields.whole("num_speakers", 1, MOST_SPEAKERS),
        require_speakers=fields.flag("require_speakers", default=True),
        allow_partial=fields.flag("allow_partial"),
    )


def _dual_wishes(fields: Fields) -> DualWishes:
    name = fields.one("local_speaker") or "Local"
    if len(name) > LONGEST_NAME:
        raise SpeechError("invalid_value", "local_speaker is too long", param="local_speaker")
    return DualWishes(
        name,
        tell_remote_apart=fields.flag("diarize_remote", default=True),
        tell_local_apart=fields.flag("diarize_local"),
        clear_echo=fields.flag("clear_echo", default=True),
    )
