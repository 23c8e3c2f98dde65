"""A transcript as the options of a request want it: with or without speakers."""

from collections.abc import Callable, Sequence

from spark_audio_proxy.api.knowing import Knowing
from spark_audio_proxy.api.options import TranscriptOptions
from spark_audio_proxy.api.reception import Taken
from spark_audio_proxy.decoding.sound import Sound
from spark_audio_proxy.speech import Transcript, Word
from spark_audio_proxy.transcribing.transcriber import Transcriber
from spark_audio_proxy.transcribing.with_speakers import SpeakerTranscriber, SpeakerWishes


class TranscriptWork:
    """What the routes of transcriptions and of jobs have in common."""

    def __init__(
        self, transcriber: Transcriber, speakers: SpeakerTranscriber, knowing: Knowing
    ) -> None:
        self._transcriber = transcriber
        self._speakers = speakers
        self._knowing = knowing

    async def transcript(
        self,
        taken: Taken,
        sound: Sound,
        options: TranscriptOptions,
        told: Callable[[Sequence[Word]], None] = lambda words: None,
    ) -> Transcript:
        """Return it; ``told`` hears words as they are settled. Raises SpeechError."""
        journey, language = taken.journey, options.language
        if options.speakers:
            wishes = SpeakerWishes(language, allow_partial=options.allow_partial)
            known = await self._knowing.voices(taken, options.known)
            found = await self._speakers.transcribe(sound, journey, wishes, known.naming)
            return found.transcript
        return await self._transcriber.transcribe(
            sound, language, journey, told, allow_partial=options.allow_partial
        )
