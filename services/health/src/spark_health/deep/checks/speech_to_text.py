"""Speech to text: the clip of real speech goes in, and the words in it have to come out."""

from functools import cache
from pathlib import Path

import httpx

from spark_common.clock import Clock
from spark_health.deep.answers import JobFailedError, ask
from spark_health.deep.ports import Outcome, Place
from spark_health.deep.words import heard, words_of

CLIP = Path(__file__).parents[1] / "clip" / "speech.wav"
SAID = "This is a short test of the speech service."
_ENOUGH = 0.5
"""Share of the words that must be heard: a synthetic voice is not everybody's, noise has none."""
_SECONDS = 30.0


@cache
def _clip() -> bytes:
    return CLIP.read_bytes()


class SpeechToText:
    """Transcribes the clip."""

    def __init__(self, place: Place, http: httpx.AsyncClient, clock: Clock) -> None:
        self.place = place
        self._http = http
        self._clock = clock

    async def run(self) -> Outcome:
        """Do the job once."""
        try:
            return await self._job()
        except JobFailedError as failed:
            return failed.outcome

    async def _job(self) -> Outcome:
        answer = await ask(
            self._http,
            self._clock,
            "POST",
            f"{self.place.base_url}/v1/audio/transcriptions",
            seconds=_SECONDS,
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
