"""Text to speech: two letters go in, and sound that can be heard has to come out."""

import httpx

from spark_common.clock import Clock
from spark_health.deep.answers import Answer, JobFailedError, ask
from spark_health.deep.ports import Outcome, Place
from spark_health.deep.sound import NoSoundError, decode_wav

_TEXT = "OK"
_SECONDS = 30.0


class KokoroSpeech:
    """Asks the way of OpenAI."""

    def __init__(self, place: Place, http: httpx.AsyncClient, clock: Clock) -> None:
        self.place = place
        self._http = http
        self._clock = clock

    async def run(self) -> Outcome:
        """Do the job once."""
        body = {
            "model": "kokoro",
            "voice": "af_heart",
            "input": _TEXT,
            "response_format": "wav",
            "stream": False,
        }
        try:
            return _heard(
                await ask(
                    self._http,
                    self._clock,
                    "POST",
                    f"{self.place.base_url}/v1/audio/speech",
                    seconds=_SECONDS,
                    json=body,
                )
            )
        except JobFailedError as failed:
            return failed.outcome


class MagpieSpeech:
    """Asks the way of the older NIM: a form, and WAV comes back."""

    def __init__(self, place: Place, http: httpx.AsyncClient, clock: Clock) -> None:
        self.place = place
        self._http = http
        self._clock = clock

    async def run(self) -> Outcome:
        """Do the job once."""
        form = {
            "text": _TEXT,
            "language": "en-US",
            "encoding": "LINEAR_PCM",
            "sample_rate_hz": "22050",
        }
        # As multipart: a form of the other kind is "empty text input" to it.
        fields = {name: (None, value) for name, value in form.items()}
        try:
            return _heard(
                await ask(
                    self._http,
                    self._clock,
                    "POST",
                    f"{self.place.base_url}/v1/audio/synthesize",
                    seconds=_SECONDS,
                    files=fields,
                )
            )
        except JobFailedError as failed:
            return failed.outcome


def _heard(answer: Answer) -> Outcome:
    try:
        sound = decode_wav(answer.body)
    except NoSoundError as why:
        raise answer.wrong(f"what it answered is no sound: {why}") from why
    facts = {"sound_seconds": round(sound.seconds, 2), "sample_rate": sound.rate}
    if not sound.audible:
        raise answer.wrong("it answered with silence", **facts)
    return Outcome("ok", f"spoke for {sound.seconds:.1f} s", answer.latency_ms, facts=facts)
