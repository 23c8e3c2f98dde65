"""Which voices a request knows: those that it brings along, and the enrolled ones if it asks."""

from collections.abc import Callable

from spark_audio_proxy.api.options import KnownSpeaker
from spark_audio_proxy.api.reception import Taken
from spark_audio_proxy.people.references import voices_of
from spark_audio_proxy.people.rules import match_rules, require_voiceprints
from spark_audio_proxy.speakers.voice_store import VoiceStore
from spark_audio_proxy.transcribing.diarizer import Diarizer
from spark_audio_proxy.transcribing.knowing import KnownVoices
from spark_common.settings.speech import SpeechSettings


class Knowing:
    """Gathers them."""

    def __init__(
        self, diarizer: Diarizer, store: VoiceStore, settings: Callable[[], SpeechSettings]
    ) -> None:
        self._diarizer = diarizer
        self._store = store
        self._settings = settings

    async def voices(
        self, taken: Taken, references: tuple[KnownSpeaker, ...], *, enrolled: bool = False
    ) -> KnownVoices:
        """Return them; raises SpeechError, and UnavailableError where the enrolled are away."""
        found = await voices_of(references, taken, self._diarizer)
        if enrolled:
            require_voiceprints(self._settings())
            given = {voice.name for voice in found}
            all_voices = await self._store.all(taken.tenant)
            found += [voice for voice in all_voices if voice.name not in given]
        return KnownVoices(found, match_rules(self._settings()))
