"""Text to speech: two letters go in, and sound that can be heard has to come out."""

from spark_health.deep.answers import Answer
from spark_health.deep.job import HttpJob
from spark_health.deep.ports import Outcome
from spark_health.deep.sound import NoSoundError, decode_wav

_TEXT = "OK"
_SECONDS = 30.0


class KokoroSpeech(HttpJob):
    """Asks the way of OpenAI."""

    async def _job(self) -> Outcome:
        body = {
            "model": "kokoro",
            "voice": "af_heart",
            "input": _TEXT,
            "response_format": "wav",
            "stream": False,
        }
        return _heard(await self._ask("POST", "/v1/audio/speech", _SECONDS, json=body))


class MagpieSpeech(HttpJob):
    """Asks the way of the older NIM: a form, and WAV comes back."""

    async def _job(self) -> Outcome:
        form = {
            "text": _TEXT,
            "language": "en-US",
            "encoding": "LINEAR_PCM",
            "sample_rate_hz": "22050",
        }
        # As multipart: a form of the other kind is "empty text input" to it.
        fields = {name: (None, value) for name, value in form.items()}
        return _heard(await self._ask("POST", "/v1/audio/synthesize", _SECONDS, files=fields))


def _heard(answer: Answer) -> Outcome:
    try:
        sound = decode_wav(answer.body)
    except NoSoundError as why:
        raise answer.wrong(f"what it answered is no sound: {why}") from why
    facts = {"sound_seconds": round(sound.seconds, 2), "sample_rate": sound.rate}
    if not sound.audible:
        raise answer.wrong("it answered with silence", **facts)
    return Outcome("ok", f"spoke for {sound.seconds:.1f} s", answer.latency_ms, facts=facts)
