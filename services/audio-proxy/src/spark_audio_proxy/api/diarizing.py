"""Who speaks when, without words: of a whole recording, or of one chunk of the caller's."""

import json
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from spark_audio_proxy.api.answer_headers import answer_headers
from spark_audio_proxy.api.company import unless_left
from spark_audio_proxy.api.reception import Reception, Taken
from spark_audio_proxy.api.speaker_work import MOST_SPEAKERS
from spark_audio_proxy.decoding.sound import Sound
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speakers.sessions import Sessions
from spark_audio_proxy.speakers.voices import VoiceChunk
from spark_audio_proxy.speech import Diarization
from spark_audio_proxy.transcribing.caller import tenant_of
from spark_audio_proxy.transcribing.calls import SpeechCalls
from spark_audio_proxy.transcribing.diarizer import Diarizer
from spark_audio_proxy.transcribing.knowing import model_of
from spark_audio_proxy.upstreams.clip import Clip
from spark_audio_proxy.upstreams.diarizer_answer import read_diarization
from spark_audio_proxy.upstreams.parakeet import Parakeet
from spark_common.settings.speech import SpeechSettings

_LONGEST_ID = 64


class Diarizing:
    """Answers ``/v1/audio/diarize`` and the two addresses of ``diarize-chunk``."""

    def __init__(
        self,
        reception: Reception,
        diarizer: Diarizer,
        calls: SpeechCalls,
        parakeet: Parakeet,
        settings: Callable[[], SpeechSettings],
        sessions: Sessions,
    ) -> None:
        self._reception = reception
        self._diarizer = diarizer
        self._calls = calls
        self._parakeet = parakeet
        self._settings = settings
        self._sessions = sessions

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        for path in ("/v1/audio/diarize", "/api/audio/diarize"):
            router.add_api_route(path, self.diarize, methods=["POST"])
        for path in ("/v1/audio/diarize-chunk", "/api/audio/diarize-chunk"):
            router.add_api_route(path, self.diarize_chunk, methods=["POST"])
        return router

    async def diarize(self, request: Request) -> Response:
        """Answer about a recording of any length, as JSON or RTTM."""
        async with AsyncExitStack() as opened:
            taken = await self._reception.take(request, opened)
            fields = taken.upload.fields
            form = fields.one("response_format").lower() or "json"
            if form not in ("json", "rttm"):
                raise SpeechError(
                    "unsupported_format",
                    "response_format must be json or rttm",
                    param="response_format",
                )
            request.state.format = form
            most = fields.whole("num_speakers", 1, MOST_SPEAKERS)

            async def work() -> tuple[Sound, Diarization]:
                sound = await taken.sound()
                found = await self._diarizer.diarize(sound, taken.journey, max_speakers=most)
                return sound, shown(found.diarization, found.names)

            sound, found = await unless_left(request.receive, work())
            headers = answer_headers(taken.journey, sound.seconds)
            if form == "rttm":
                return PlainTextResponse(rttm(found), headers=headers)
            return JSONResponse(document(found, sound.seconds), headers=headers)

    async def diarize_chunk(self, request: Request) -> Response:
        """Answer about one chunk with what the diarizer itself said: nothing of it is changed."""
        async with AsyncExitStack() as opened:
            taken = await self._reception.take(request, opened)
            session = request.query_params.get("session") or taken.upload.fields.one("session")
            if session:
                await self._sessions.require(tenant_of(request), session)
            sound, answer = await unless_left(request.receive, self._chunk(taken))
            if session:
                heard = await self._heard(request, taken, session, answer)
                answer = {**answer, **heard}
            return Response(
                json.dumps(dict(answer)),
                headers=answer_headers(taken.journey, sound.seconds),
                media_type="application/json",
            )

    async def _heard(
        self, request: Request, taken: Taken, session: str, answer: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return who is who in a chunk of a session, as far as it can be told by now."""
        fields = taken.upload.fields
        offset = fields.number("offset_s", 0, 1_000_000) or 0.0
        found = read_diarization(answer, 0.0)
        chunk_id = fields.one("chunk") or f"{offset:g}"
        if len(chunk_id) > _LONGEST_ID:
            raise SpeechError("invalid_value", "the id of the chunk is too long", param="chunk")
        chunk = VoiceChunk(chunk_id, offset, found.fingerprints, segments=found.segments)
        heard = await self._sessions.hear(tenant_of(request), session, chunk, model_of(found))
        return {"session": session, "labels": dict(heard.labels), "revision": heard.revision}

    async def _chunk(self, taken: Taken) -> tuple[Sound, Mapping[str, Any]]:
        frames = taken.upload.fields.flag("frames")
        sound = await taken.sound()
        limit = self._settings().max_diarize_seconds
        if sound.seconds > limit:
            raise SpeechError(
                "audio_too_long",
                f"the chunk has {sound.seconds:.0f} s, and the limit is {limit:g} s; "
                "/v1/audio/diarize takes longer recordings",
                param="file",
            )
        if sound.is_silent:
            return sound, document(Diarization((), sound.seconds), sound.seconds)
        clip = Clip.whole(sound)
        answer = await self._calls.made(
            "diar",
            clip,
            sound.measures,
            taken.journey,
            lambda: self._parakeet.diarize_raw(clip, frames=frames),
        )
        return sound, answer


def shown(found: Diarization, names: Mapping[str, str | None]) -> Diarization:
    """Return it with speakers called ``Speaker_0``, ... by appearance; those without one left."""
    labels = labels_of(found, names)
    return Diarization(
        tuple(
            type(turn)(turn.start, turn.end, labels[turn.speaker], turn.confidence)
            for turn in found.segments
            if turn.speaker in labels
        ),
        found.duration,
        fingerprints={
            labels[label]: vector for label, vector in found.fingerprints.items() if label in labels
        },
        models=found.models,
    )


def labels_of(found: Diarization, names: Mapping[str, str | None]) -> dict[str, str]:
    """Return what each of the diarizer's speakers is called to the outside."""
    order = dict.fromkeys(
        turn.speaker for turn in found.segments if names.get(turn.speaker, "") is not None
    )
    return {label: f"Speaker_{number}" for number, label in enumerate(order)}


def document(found: Diarization, seconds: float) -> dict[str, Any]:
    """Return a diarization in the shape of the speech container's own answer, in order of time."""
    return {
        "duration": round(seconds, 3),
        "segments": [
            {
                "start_s": round(turn.start, 3),
                "end_s": round(turn.end, 3),
                "speaker": turn.speaker,
                "confidence": turn.confidence,
            }
            for turn in found.segments
        ],
        "speakers_detected": sorted({turn.speaker for turn in found.segments}),
        "fingerprints": {label: list(vector) for label, vector in found.fingerprints.items()},
        "models": dict(found.models),
    }


def rttm(found: Diarization) -> str:
    """Return a diarization as RTTM, one line per turn."""
    return "".join(
        f"SPEAKER audio 1 {turn.start:.3f} {turn.end - turn.start:.3f} <NA> <NA> "
        f"{turn.speaker} <NA> <NA>\n"
        for turn in found.segments
    )
