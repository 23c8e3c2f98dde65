"""``/api/audio/speaker-sessions``: a recording comes in chunks, and everybody keeps a name."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from spark_audio_proxy.api.clustering import clustered_document
from spark_audio_proxy.speakers.session_store import KEPT_SECONDS
from spark_audio_proxy.speakers.sessions import Sessions
from spark_audio_proxy.transcribing.caller import tenant_of

_PATH = "/api/audio/speaker-sessions"


class SessionRoutes:
    """Answers them; the chunks come through ``diarize-chunk?session=``."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        router.add_api_route(_PATH, self.open, methods=["POST"])
        router.add_api_route(f"{_PATH}/{{session_id}}/finalise", self.finalise, methods=["POST"])
        router.add_api_route(f"{_PATH}/{{session_id}}", self.close, methods=["DELETE"])
        return router

    async def open(self, request: Request) -> Response:
        """Begin a session."""
        session_id = await self._sessions.open(tenant_of(request))
        body = {"id": session_id, "object": "audio.speaker_session", "kept_seconds": KEPT_SECONDS}
        return JSONResponse(body, 201, headers={"location": f"{_PATH}/{session_id}"})

    async def finalise(self, request: Request, session_id: str) -> dict[str, Any]:
        """Answer with one clustering of everything that was heard."""
        found = await self._sessions.finalise(tenant_of(request), session_id)
        return clustered_document(found.clustered) | {
            "revision": found.revision,
            "changed": [{"chunk": chunk, "speaker": label} for chunk, label in found.changed],
        }

    async def close(self, request: Request, session_id: str) -> Response:
        """Forget a session and its voices at once."""
        await self._sessions.close(tenant_of(request), session_id)
        return Response(status_code=204)
