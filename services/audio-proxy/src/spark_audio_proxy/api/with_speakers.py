"""``POST /api/audio/transcribe-with-speakers``: who said what, in one call."""

from contextlib import AsyncExitStack

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from spark_audio_proxy.api.answer_headers import answer_headers
from spark_audio_proxy.api.company import unless_left
from spark_audio_proxy.api.partial import partial_answer
from spark_audio_proxy.api.reception import Reception, Taken
from spark_audio_proxy.api.speaker_document import speaker_document
from spark_audio_proxy.intake.fields import Fields
from spark_audio_proxy.transcribing.transcriber import PartialError
from spark_audio_proxy.transcribing.with_speakers import (
    SpeakerTranscriber,
    SpeakerTranscript,
    SpeakerWishes,
)
from spark_audio_proxy.words.languages import language_code

MOST_SPEAKERS = 32


class WithSpeakers:
    """Answers the route."""

    def __init__(self, reception: Reception, transcriber: SpeakerTranscriber) -> None:
        self._reception = reception
        self._transcriber = transcriber

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
            fields = taken.upload.fields
            words, prints = fields.flag("words"), fields.flag("fingerprints")
            try:
                found = await unless_left(request.receive, self._found(taken))
            except PartialError as error:
                return partial_answer(request, error)
            seconds = found.transcript.duration
            return JSONResponse(
                speaker_document(found, taken.journey, words=words, fingerprints=prints),
                headers=answer_headers(taken.journey, seconds),
            )

    async def _found(self, taken: Taken) -> SpeakerTranscript:
        wishes = wishes_of(taken.upload.fields)
        sound = await taken.sound()
        return await self._transcriber.transcribe(sound, taken.journey, wishes)


def wishes_of(fields: Fields) -> SpeakerWishes:
    """Read what is wanted; raises SpeechError."""
    return SpeakerWishes(
        language=language_code(fields.one("language")),
        max_speakers=fields.whole("num_speakers", 1, MOST_SPEAKERS),
        require_speakers=fields.flag("require_speakers", default=True),
        allow_partial=fields.flag("allow_partial"),
    )
