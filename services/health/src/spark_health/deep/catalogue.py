"""Which checks there are now: one for each service that the settings name and nobody hid."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import httpx

from spark_common.clock import Clock
from spark_common.settings.support import (
    EmbedSettings,
    KokoroSettings,
    MagpieSettings,
    ParakeetSettings,
    QdrantSettings,
)
from spark_health.deep.checks.embeddings import Embeddings
from spark_health.deep.checks.language_model import LanguageModel, Loaded
from spark_health.deep.checks.speech_to_text import SpeechToText
from spark_health.deep.checks.text_to_speech import KokoroSpeech, MagpieSpeech
from spark_health.deep.checks.vectors import Vectors
from spark_health.deep.ports import DeepCheck, Place
from spark_health.watching.first.places import Places


@dataclass(frozen=True)
class Groups:
    """The owner's settings of what runs beside the model, as they are now."""

    parakeet: Callable[[], ParakeetSettings]
    kokoro: Callable[[], KokoroSettings]
    magpie: Callable[[], MagpieSettings]
    embed: Callable[[], EmbedSettings]
    qdrant: Callable[[], QdrantSettings]


class Catalogue:
    """Built anew each time it is asked: the owner may move a service."""

    def __init__(
        self,
        places: Places,
        groups: Groups,
        http: httpx.AsyncClient,
        clock: Clock,
        loaded: Loaded,
    ) -> None:
        self._places = places
        self._groups = groups
        self._http = http
        self._clock = clock
        self._loaded = loaded

    def checks(self) -> Sequence[DeepCheck]:
        """Return the checks of what is not hidden."""
        hidden = self._places.disabled()
        return [self._check(place) for name, place in self.places().items() if name not in hidden]

    def hidden(self) -> Sequence[Place]:
        """Return what the owner hid: no check."""
        hidden = self._places.disabled()
        return [place for name, place in self.places().items() if name in hidden]

    def places(self) -> Mapping[str, Place]:
        """Return every service with the container that it runs in."""
        groups = self._groups
        # vLLM's container is the swapper's: nothing here may start or stop the model.
        containers: dict[str, str | None] = {
            "vllm": None,
            "parakeet": groups.parakeet().parakeet_container,
            "kokoro": groups.kokoro().kokoro_container,
            "magpie": groups.magpie().magpie_container,
            "embeddings": groups.embed().embed_container,
            "qdrant": groups.qdrant().qdrant_container,
        }
        return {
            name: Place(name, place.label, place.url, place.host, containers[name])
            for name, place in self._places.all().items()
            if name in containers
        }

    def _check(self, place: Place) -> DeepCheck:
        match place.service:
            case "vllm":
                return LanguageModel(place, self._http, self._clock, self._loaded)
            case "parakeet":
                return SpeechToText(place, self._http, self._clock)
            case "kokoro":
                return KokoroSpeech(place, self._http, self._clock)
            case "magpie":
                return MagpieSpeech(place, self._http, self._clock)
            case "embeddings":
                return Embeddings(place, self._http, self._clock)
            case _:
                key = self._groups.qdrant().qdrant_api_key
                return Vectors(place, self._http, self._clock, key)
