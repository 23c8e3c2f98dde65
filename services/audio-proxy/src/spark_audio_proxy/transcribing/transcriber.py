"""A decoded recording becomes words: one call, or as many as it needs."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias, TypeVar

from spark_audio_proxy.decoding.sound import Sound
from spark_audio_proxy.problems import ProblemCode, SpeechError
from spark_audio_proxy.speech import Transcript, Word
from spark_audio_proxy.stitching.planning import Chunk
from spark_audio_proxy.stitching.words import HeardChunk, stitch_words
from spark_audio_proxy.transcribing.calls import SpeechCalls
from spark_audio_proxy.transcribing.chunking import chunks_of
from spark_audio_proxy.transcribing.journey import Journey
from spark_audio_proxy.transcribing.partial import PartialError
from spark_audio_proxy.upstreams.clip import Clip
from spark_audio_proxy.upstreams.parakeet import Parakeet
from spark_common.settings.speech import SpeechSettings

Told: TypeAlias = Callable[[Sequence[Word]], None]
"""Is told further words as soon as nothing can change about them any more."""
_SETTLED_SECONDS: Final = 1.0
"""Words that end so long before the next part begins stay as they are."""
_AGAIN: Final[frozenset[ProblemCode]] = frozenset(
    ("upstream_bad_response", "empty_timestamps", "upstream_recovering", "upstream_timeout",
     "upstream_loading", "upstream_down")
)  # fmt: skip

ResultT = TypeVar("ResultT")


def _nobody(words: Sequence[Word]) -> None:
    """Tell nobody."""


class Transcriber:
    """Asks the speech server for words."""

    def __init__(
        self, calls: SpeechCalls, parakeet: Parakeet, settings: Callable[[], SpeechSettings]
    ) -> None:
        self._calls = calls
        self._parakeet = parakeet
        self._settings = settings

    async def transcribe(
        self,
        sound: Sound,
        language: str | None,
        journey: Journey,
        told: Told = _nobody,
        *,
        allow_partial: bool = False,
    ) -> Transcript:
        """Return the words of a recording; nobody is asked about silence.

        Raises SpeechError; PartialError where parts failed and ``allow_partial`` wants the rest.
        """
        if sound.is_silent:
            return Transcript((), sound.seconds, language)
        chunks = chunks_of(sound, self._settings())
        journey.parts = len(chunks)
        if len(chunks) == 1:
            found = await self._heard(Clip.whole(sound), sound, language, journey)
            told(found.words)
            return _of(sound, found.words, [found], language)
        return await self._long(sound, chunks, language, journey, told, allow_partial)

    async def _long(
        self,
        sound: Sound,
        chunks: Sequence[Chunk],
        language: str | None,
        journey: Journey,
        told: Told,
        allow_partial: bool,
    ) -> Transcript:
        heard: list[HeardChunk] = []
        answers: list[Transcript] = []
        failed: SpeechError | None = None
        said = 0
        for number, chunk in enumerate(chunks):
            clip = Clip.whole(sound).part(chunk.words_start, chunk.words_end)
            try:
                answer = await once_more(
                    lambda clip=clip: self._heard(clip, sound, language, journey)  # type: ignore[misc]
                )
            except SpeechError as error:
                if not allow_partial or error.code not in _AGAIN:
                    raise
                failed = error
                continue
            answers.append(answer)
            heard.append(HeardChunk(chunk.words_start, chunk.words_end, answer.words))
            line = stitch_words(heard)
            last = number + 1 == len(chunks)
            until = None if last else chunks[number + 1].words_start - _SETTLED_SECONDS
            upto = len(line) if until is None else _settled(line, until)
            if upto > said:
                told(line[said:upto])
                said = upto
            journey.report((number + 1) / len(chunks))
        transcript = _of(sound, stitch_words(heard), answers, language)
        if failed is not None:
            raise PartialError(failed, transcript) from failed
        return transcript

    async def _heard(
        self, clip: Clip, sound: Sound, language: str | None, journey: Journey
    ) -> Transcript:
        return await self._calls.made(
            "asr",
            clip,
            sound.measures,
            journey,
            lambda: self._parakeet.transcribe(clip, language),
        )


async def once_more(call: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Make a call about one part of a long recording, and again alone when it failed."""
    try:
        return await call()
    except SpeechError as error:
        if error.code not in _AGAIN:
            raise
    return await call()


def _settled(line: Sequence[Word], until: float) -> int:
    for place, word in enumerate(line):
        if word.end > until:
            return place
    return len(line)


def _of(
    sound: Sound, words: tuple[Word, ...], answers: Sequence[Transcript], language: str | None
) -> Transcript:
    told = next((answer.language for answer in answers if answer.language), language)
    warnings = dict.fromkeys(warning for answer in answers for warning in answer.warnings)
    if sound.measures.damaged:
        warnings["audio_damaged"] = None
    return Transcript(words, sound.seconds, told, warnings=tuple(warnings))
