"""Voices that come with a request: a few seconds each, as data addresses."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Final

from spark_audio_proxy.api.options import KnownSpeaker
from spark_audio_proxy.api.reception import Taken
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speakers.matching import EnrolledVoice
from spark_audio_proxy.transcribing.diarizer import Diarizer
from spark_audio_proxy.transcribing.knowing import main_voice, model_of

_PARAM: Final = "known_speaker_references"
_LONGEST_SECONDS: Final = 30.0
_NEVER: Final = datetime.fromtimestamp(0, UTC)


async def voices_of(
    known: tuple[KnownSpeaker, ...], taken: Taken, diarizer: Diarizer
) -> list[EnrolledVoice]:
    """Return the voice prints of references; each takes one call. Raises SpeechError."""
    voices = []
    for speaker in known:
        sound = await taken.decoded(_bytes(speaker.reference), _PARAM, _LONGEST_SECONDS)
        found = (await diarizer.diarize(sound, taken.journey)).diarization
        print_ = main_voice(found, _PARAM)
        voices.append(EnrolledVoice(speaker.name, print_, model_of(found), _NEVER))
    return voices


def _bytes(reference: str) -> bytes:
    head, comma, text = reference.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        raise SpeechError(
            "invalid_value", "a reference must be a data address: data:audio/wav;base64,...",
            param=_PARAM,
        )  # fmt: skip
    try:
        return base64.b64decode(text, validate=False)
    except binascii.Error as error:
        raise SpeechError("invalid_value", "a reference is not base64", param=_PARAM) from error
