"""A decoded recording becomes words: one call, or as many as it needs."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from spark_audio_proxy.decoding.sound import Sound
from spark_audio_proxy.speech import Transcript, Word
from spark_audio_proxy.transcribing.calls import SpeechCalls
from spark_audio_proxy.transcribing.journey import Journey
from spark_audio_proxy.upstreams.clip import Clip
from spark_audio_proxy.upstreams.parakeet import Parakeet

Told: TypeAlias = Callable[[Sequence[Word]], None]
"""Is told further words as soon as nothing can change about them any more."""


def _nobody(words: Sequence[Word]) -> None:
    """Tell nobody."""


class Transcriber:
    """Asks the speech server for words."""

    def __init__(self, calls: SpeechCalls, parakeet: Parakeet) -> None:
        self._calls = calls
        self._parakeet = parakeet

    async def transcribe(
        self, sound: Sound, language: str | None, journey: Journey, told: Told = _nobody
    ) -> Transcript:
        """Return the words of a recording; nobody is asked about silence. Raises SpeechError."""
        if sound.is_silent:
            return Transcript((), sound.seconds, language)
        clip = Clip.whole(sound)
        transcript = await self._calls.made(
            "asr",
            clip,
            sound.measures,
            journey,
            lambda: self._parakeet.transcribe(clip, language),
        )
        told(transcript.words)
        warnings = transcript.warnings
        return Transcript(
            transcript.words, sound.seconds, transcript.language or language, warnings=warnings
        )
