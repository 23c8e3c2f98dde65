"""Whether a clip may become somebody's voice print: one person, enough speech, not distorted."""

import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from math import fsum
from typing import Literal

from spark_audio_proxy.speakers.voices import direction
from spark_audio_proxy.speech import Diarization
from spark_common.errors import InvalidRequestError

_LONGEST_NAME = 64

Refusal = Literal[
    "too_short", "too_long", "too_little_speech", "several_speakers", "clipped", "no_voice_print"
]


class EnrolmentRefusedError(InvalidRequestError):
    """The clip is of no use; ``details['reason']`` says why in a word."""

    def __init__(self, reason: Refusal, message: str) -> None:
        super().__init__(message, reason=reason)


@dataclass(frozen=True, slots=True)
class EnrolmentRules:
    """Seconds and shares."""

    shortest: float = 5.0
    longest: float = 30.0
    least_speech: float = 3.0
    one_speaker: float = 0.95
    """Share of all speech that must be one person's."""
    most_clipped: float = 0.001
    """Share of samples at full scale."""


@dataclass(frozen=True, slots=True, eq=False)
class EnrolmentClip:
    """What is known of a clip."""

    seconds: float
    clipped: float
    diarization: Diarization
    speech_seconds: float | None = None
    """By loudness, where that was measured."""


def enrolment_print(clip: EnrolmentClip, rules: EnrolmentRules | None = None) -> tuple[float, ...]:
    """Return the voice print of the one person of a clip, with length 1.

    Raises EnrolmentRefusedError, with what to do about it.
    """
    rules = rules or EnrolmentRules()
    if clip.seconds < rules.shortest:
        raise EnrolmentRefusedError(
            "too_short",
            f"the clip lasts {clip.seconds:.1f} s: record at least {rules.shortest:g} s",
        )
    if clip.seconds > rules.longest:
        raise EnrolmentRefusedError(
            "too_long", f"the clip lasts {clip.seconds:.1f} s: send at most {rules.longest:g} s"
        )
    if clip.clipped > rules.most_clipped:
        raise EnrolmentRefusedError(
            "clipped", "the clip is distorted: record it again, less loud or farther away"
        )
    spoken: defaultdict[str, float] = defaultdict(float)
    for turn in clip.diarization.segments:
        spoken[turn.speaker] += max(turn.end - turn.start, 0.0)
    speaker = max(sorted(spoken), key=lambda label: spoken[label], default="")
    total = fsum(spoken.values())
    heard = total if clip.speech_seconds is None else min(total, clip.speech_seconds)
    if heard < rules.least_speech:
        raise EnrolmentRefusedError(
            "too_little_speech",
            f"the clip has {heard:.1f} s of speech: at least {rules.least_speech:g} s are needed",
        )
    if spoken[speaker] < rules.one_speaker * total:
        raise EnrolmentRefusedError(
            "several_speakers", "more than one person speaks in the clip: record one alone"
        )
    found = direction(clip.diarization.fingerprints.get(speaker, ()))
    if found is None:
        raise EnrolmentRefusedError(
            "no_voice_print", "the speech server gave no voice print of the clip"
        )
    return tuple(found.tolist())


def speaker_name(text: str) -> str:
    """Return a name as it is kept; raises InvalidRequestError for one that cannot be shown."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidRequestError(f"a name has 1 to {_LONGEST_NAME} letters and can be printed")
    return name
