"""``/api/audio/speakers`` and ``/api/audio/identify``: only where the owner keeps voice prints."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from spark_audio_proxy.api.company import unless_left
from spark_audio_proxy.api.diarizing import labels_of
from spark_audio_proxy.api.reception import Reception, Taken
from spark_audio_proxy.people.rules import match_rules, require_voiceprints
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speakers.enrolment import (
    EnrolmentClip,
    EnrolmentRules,
    enrolment_print,
    speaker_name,
)
from spark_audio_proxy.speakers.matching import EnrolledVoice, Match
from spark_audio_proxy.speakers.voice_store import VoiceStore
from spark_audio_proxy.speech import Diarization
from spark_audio_proxy.transcribing.caller import tenant_of
from spark_audio_proxy.transcribing.diarizer import Diarizer
from spark_audio_proxy.transcribing.knowing import KnownVoices, model_of
from spark_common.clock import Clock
from spark_common.settings.speech import SpeechSettings

_PATH = "/api/audio/speakers"


class Enrolling:
    """Answers them. Of a person only print, model and day are kept."""

    def __init__(
        self,
        reception: Reception,
        diarizer: Diarizer,
        store: VoiceStore,
        settings: Callable[[], SpeechSettings],
        clock: Clock,
    ) -> None:
        self._reception = reception
        self._diarizer = diarizer
        self._store = store
        self._settings = settings
        self._clock = clock

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        router.add_api_route(_PATH, self.listed, methods=["GET"])
        router.add_api_route(f"{_PATH}/{{name}}", self.enrol, methods=["PUT"])
        router.add_api_route(f"{_PATH}/{{name}}", self.get, methods=["GET"])
        router.add_api_route(f"{_PATH}/{{name}}", self.forget, methods=["DELETE"])
        router.add_api_route("/api/audio/identify", self.identify, methods=["POST"])
        return router

    async def enrol(self, request: Request, name: str) -> Response:
        """Keep the voice of a clip in which one person speaks, in place of an earlier one."""
        require_voiceprints(self._settings())
        name = speaker_name(name)
        async with AsyncExitStack() as opened:
            taken = await self._reception.take(request, opened)
            voice = await unless_left(request.receive, self._voice(taken, name))
        await self._store.put(tenant_of(request), voice)
        return JSONResponse(_document(voice), 201)

    async def listed(self, request: Request) -> Response:
        """Answer with everybody who is enrolled."""
        require_voiceprints(self._settings())
        voices = await self._store.all(tenant_of(request))
        return JSONResponse({"object": "list", "data": [_document(voice) for voice in voices]})

    async def get(self, request: Request, name: str) -> Response:
        """Answer with one person."""
        require_voiceprints(self._settings())
        voice = await self._store.get(tenant_of(request), speaker_name(name))
        if voice is None:
            raise _nobody()
        return JSONResponse(_document(voice))

    async def forget(self, request: Request, name: str) -> Response:
        """Delete a voice; also where nothing new may be kept any more."""
        if not await self._store.delete(tenant_of(request), speaker_name(name)):
            raise _nobody()
        return Response(status_code=204)

    async def identify(self, request: Request) -> Response:
        """Answer with who speaks in a recording, as far as they are enrolled."""
        require_voiceprints(self._settings())
        async with AsyncExitStack() as opened:
            taken = await self._reception.take(request, opened)
            voices = await self._store.all(tenant_of(request))
            known = KnownVoices(voices, match_rules(self._settings()))
            body = await unless_left(request.receive, self._identified(taken, known))
        return JSONResponse(body)

    async def _identified(self, taken: Taken, known: KnownVoices) -> dict[str, Any]:
        sound = await taken.sound()
        found = await self._diarizer.diarize(sound, taken.journey)
        known.naming(found)
        labels = labels_of(found.diarization, found.names)
        return {
            "duration": round(sound.seconds, 3),
            "speakers": [
                {"speaker": labels[label], **match_document(known.matches.get(label))}
                for label in labels
            ],
            "models": dict(found.diarization.models),
        }

    async def _voice(self, taken: Taken, name: str) -> EnrolledVoice:
        sound = await taken.sound()
        found = Diarization((), sound.seconds)
        if EnrolmentRules().shortest <= sound.seconds <= EnrolmentRules().longest:
            found = (await self._diarizer.diarize(sound, taken.journey)).diarization
        measures = sound.measures
        clip = EnrolmentClip(
            sound.seconds, measures.clipped, found, measures.speech * sound.seconds
        )
        vector = enrolment_print(clip)
        return EnrolledVoice(name, vector, model_of(found), self._clock.now())


def match_document(match: Match | None) -> dict[str, Any]:
    """Return who a voice is, and who it comes close to."""
    near = () if match is None else match.candidates
    return {
        "name": None if match is None else match.name,
        "candidates": [{"name": each.name, "cosine": each.cosine} for each in near],
    }


def _document(voice: EnrolledVoice) -> dict[str, Any]:
    return {
        "object": "audio.speaker",
        "name": voice.name,
        "model": voice.model,
        "created_at": voice.created_at.isoformat(),
    }


def _nobody() -> SpeechError:
    return SpeechError("not_found", "nobody of that name is enrolled", param="name")
