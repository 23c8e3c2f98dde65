"""``POST /api/audio/transcribe-with-speakers``: who said what, in one call."""

from contextlib import AsyncExitStack
from dataclasses import replace

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from spark_audio_proxy.api.answer_headers import answer_headers
from spark_audio_proxy.api.company import unless_left
from spark_audio_proxy.api.partial import partial_answer
from spark_audio_proxy.api.reception import Reception, Taken
from spark_audio_proxy.api.speaker_document import speaker_document
from spark_audio_proxy.dual.detection import CHANNELS_IDENTICAL
from spark_audio_proxy.intake.fields import Fields
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.transcribing.transcriber import PartialError
from spark_audio_proxy.transcribing.two_sides import DualWishes, TwoSides
from spark_audio_proxy.transcribing.with_speakers import (
    SpeakerTranscriber,
    SpeakerTranscript,
    SpeakerWishes,
)
from spark_audio_proxy.words.languages import language_code

MOST_SPEAKERS = 32
LONGEST_NAME = 100


class WithSpeakers:
    """Answers the route."""

    def __init__(
        self, reception: Reception, transcriber: SpeakerTranscriber, two_sides: TwoSides
    ) -> None:
        self._reception = reception
        self._transcriber = transcriber
        self._two_sides = two_sides

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
            shown = {name: fields.flag(name) for name in ("words", "fingerprints", "debug")}
            try:
                found = await unless_left(request.receive, self._found(taken))
            except PartialError as error:
                return partial_answer(request, error)
            seconds = found.transcript.duration
            return JSONResponse(
                speaker_document(found, taken.journey, **shown),
                headers=answer_headers(taken.journey, seconds),
            )

    async def _found(self, taken: Taken) -> SpeakerTranscript:
        fields, journey = taken.upload.fields, taken.journey
        wishes = wishes_of(fields)
        if "local_file" in taken.upload.files or "remote_file" in taken.upload.files:
            dual = dual_wishes_of(fields)
            near, far = await taken.sound("local_file"), await taken.sound("remote_file")
            return await self._two_sides.transcribe(near, far, journey, wishes, dual)
        if fields.one("mode").lower() != "dual":
            return await self._transcriber.transcribe(await taken.sound(), journey, wishes)
        dual, local = dual_wishes_of(fields), fields.whole("local_channel", 0, 1) or 0
        sound = await taken.sound(channels="both")
        if len(sound.sides) < 2:
            found = await self._transcriber.transcribe(sound, journey, wishes)
            told = found.transcript
            warned = replace(told, warnings=(*told.warnings, CHANNELS_IDENTICAL))
            return replace(found, transcript=warned)
        near, far = sound.sides[local], sound.sides[1 - local]
        return await self._two_sides.transcribe(near, far, journey, wishes, dual)


def dual_wishes_of(fields: Fields) -> DualWishes:
    """Read what is wanted of two channels; raises SpeechError."""
    name = fields.one("local_speaker") or "Local"
    if len(name) > LONGEST_NAME:
        raise SpeechError("invalid_value", "local_speaker is too long", param="local_speaker")
    return DualWishes(name, fields.flag("diarize_remote", default=True))


def wishes_of(fields: Fields) -> SpeakerWishes:
    """Read what is wanted; raises SpeechError."""
    return SpeakerWishes(
        language=language_code(fields.one("language")),
        max_speakers=fields.whole("num_speakers", 1, MOST_SPEAKERS),
        require_speakers=fields.flag("require_speakers", default=True),
        allow_partial=fields.flag("allow_partial"),
    )
