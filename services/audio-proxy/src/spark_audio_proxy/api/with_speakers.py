"""``POST /api/audio/transcribe-with-speakers``: who said what, in one call."""

from contextlib import AsyncExitStack

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from spark_audio_proxy.api.answer_headers import answer_headers
from spark_audio_proxy.api.company import unless_left
from spark_audio_proxy.api.partial import partial_answer
from spark_audio_proxy.api.reception import Reception
from spark_audio_proxy.api.speaker_work import SpeakerWork
from spark_audio_proxy.transcribing.partial import PartialError


class WithSpeakers:
    """Answers the route."""

    def __init__(self, reception: Reception, work: SpeakerWork) -> None:
        self._reception = reception
        self._work = work

    def router(self) -> APIRouter:
        """Return the route."""
        router = APIRouter()
        path = "/api/audio/transcribe-with-speakers"
        router.add_api_route(path, self.transcribe, methods=["POST"])
        return router

    async def transcribe(self, request: Request) -> Response:
        """Answer with blocks of words and their speakers."""
        async with AsyncExitStack() as opened:
            taken = await self._reception.take(request, opened)
            request.state.format = "speakers"
            prepared = await unless_left(request.receive, self._work.prepared(taken))
            try:
                body = await unless_left(request.receive, prepared.work())
            except PartialError as error:
                return partial_answer(request, error)
            return JSONResponse(body, headers=answer_headers(taken.journey, prepared.seconds))
