"""``/v1/models``, ``/v1/audio/voices`` and ``/v1/audio/models``."""

from collections.abc import Callable, Mapping, Sequence

from fastapi import APIRouter
from pydantic import JsonValue

from spark_audio_proxy.listing.book import VoiceBook
from spark_audio_proxy.listing.models import Model, all_models, voices_as_models
from spark_audio_proxy.listing.voices import Voice
from spark_audio_proxy.problems import SpeechError


class Lists:
    """What is listed now."""

    def __init__(
        self,
        book: VoiceBook,
        hears: Callable[[], bool],
        ready: Callable[[], Mapping[str, bool]],
        created: int,
    ) -> None:
        """``hears``: whether the owner has a server for speech to text.

        ``ready``: which servers work just now, by name; ``created``: epoch seconds.
        """
        self.book = book
        self._hears = hears
        self._ready = ready
        self._created = created

    async def models(self) -> list[Model]:
        """Return all models; without those that speak while no voice server ever answered."""
        voices = await self._known()
        return all_models(voices, self._ready(), self._created, hears=self._hears())

    async def voices_as_models(self) -> list[Model]:
        """Return every voice as a model."""
        return list(voices_as_models(await self._known(), self._created))

    async def _known(self) -> Sequence[Voice]:
        try:
            return await self.book.voices()
        except SpeechError:
            return ()


def listing_router(lists: Lists) -> APIRouter:
    """Return the routes."""
    router = APIRouter()

    @router.get("/v1/models")
    async def models(include: str = "") -> dict[str, JsonValue]:
        found: list[JsonValue] = [*await lists.models()]
        if include == "voices":
            found.extend(await lists.voices_as_models())
        return {"object": "list", "data": found}

    @router.get("/v1/models/{id:path}")
    async def model(id: str) -> Model:
        for each in (*await lists.models(), *await lists.voices_as_models()):
            if each["id"] == id:
                return each
        raise SpeechError("not_found", "there is no such model; GET /v1/models names all there are")

    @router.get("/v1/audio/voices")
    async def voices(legacy: str = "") -> dict[str, JsonValue]:
        found = await lists.book.voices()
        if legacy.casefold() in ("true", "1", "yes"):
            return {"voices": [voice.id for voice in found]}
        return {"object": "list", "voices": [voice.shown() for voice in found]}

    @router.get("/v1/audio/models")
    async def audio_models() -> dict[str, JsonValue]:
        return {"models": [{"id": each["id"], "name": each["id"]} for each in await lists.models()]}

    @router.get("/health")
    async def health() -> dict[str, JsonValue]:
        return {"status": "ok", "service": "audio-proxy"}

    return router
