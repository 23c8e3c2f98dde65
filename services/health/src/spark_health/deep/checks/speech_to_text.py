"""Speech to text: the clip of real speech goes in, and the words in it have to come out."""

from functools import cache
from pathlib import Path

from spark_health.deep.job import HttpJob
from spark_health.deep.ports import Outcome
from spark_health.deep.words import heard, words_of

CLIP = Path(__file__).parents[1] / "clip" / "speech.wav"
SAID = "This is a short test of the speech service."
_ENOUGH = 0.5
"""Share of the words that must be heard: a synthetic voice is not everybody's, noise has none."""
_SECONDS = 30.0


@cache
def _clip() -> bytes:
    return CLIP.read_bytes()


class SpeechToText(HttpJob):
    """Transcribes the clip."""

    async def _job(self) -> Outcome:
        answer = await self._ask(
            "POST",
            "/v1/audio/transcriptions",
            _SECONDS,
            files={"file": ("speech.wav", _clip(), "audio/wav")},
            data={"model": "whisper-1", "response_format": "verbose_json", "language": "en"},
        )
        text = answer.json().get("text")
        if not isinstance(text, str):
            raise answer.wrong("it answered without a transcript")
        expected = words_of(SAID)
        count = heard(expected, text)
        facts = {"words_heard": count, "words_said": len(expected)}
        if count < _ENOUGH * len(expected):
            raise answer.wrong(f"it heard {count} of {len(expected)} words of the test clip",
                               **facts)  # fmt: skip
        sentence = f"heard {count} of {len(expected)} words"
        return Outcome("ok", sentence, answer.latency_ms, facts=facts)
