"""A decoded recording becomes turns of speakers, whose labels hold for all of it."""

from collections.abc import Callable

from spark_audio_proxy.decoding.sound import Sound
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speakers.clustering import ClusterRules
from spark_audio_proxy.speech import Diarization
from spark_audio_proxy.stitching.planning import Chunk
from spark_audio_proxy.stitching.speakers import DiarizedChunk, StitchedSpeakers, stitch_speakers
from spark_audio_proxy.transcribing.calls import SpeechCalls
from spark_audio_proxy.transcribing.chunking import chunks_of
from spark_audio_proxy.transcribing.journey import Journey
from spark_audio_proxy.transcribing.transcriber import once_more
from spark_audio_proxy.upstreams.clip import Clip
from spark_audio_proxy.upstreams.parakeet import Parakeet
from spark_common.errors import InvalidRequestError
from spark_common.settings.speech import SpeechSettings


class Diarizer:
    """Asks the speech server who speaks when, part by part where a recording is long."""

    def __init__(
        self, calls: SpeechCalls, parakeet: Parakeet, settings: Callable[[], SpeechSettings]
    ) -> None:
        self._calls = calls
        self._parakeet = parakeet
        self._settings = settings

    async def diarize(
        self, sound: Sound, journey: Journey, *, max_speakers: int | None = None
    ) -> StitchedSpeakers:
        """Return the turns; raises SpeechError."""
        settings = self._settings()
        if sound.is_silent:
            return StitchedSpeakers(Diarization((), sound.seconds), {})
        found = []
        chunks = chunks_of(sound, settings)
        for number, chunk in enumerate(chunks, start=1):
            found.append(DiarizedChunk(chunk, await self._found(sound, chunk, journey)))
            journey.report(number / len(chunks))
        rules = ClusterRules(threshold=settings.cluster_dist, max_speakers=max_speakers)
        try:
            return stitch_speakers(found, rules)
        except InvalidRequestError as error:
            # Nothing that the caller sent: the parts' answers do not go together.
            raise SpeechError(
                "upstream_bad_response", f"the speech server's answers differ: {error.message}"
            ) from error

    async def _found(self, sound: Sound, chunk: Chunk, journey: Journey) -> Diarization:
        clip = Clip.whole(sound).part(chunk.speakers_start, chunk.speakers_end)
        if clip.seconds < 1.0:
            clip = Clip.whole(sound)
        return await once_more(
            lambda: self._calls.made(
                "diar", clip, sound.measures, journey, lambda: self._parakeet.diarize(clip)
            )
        )
