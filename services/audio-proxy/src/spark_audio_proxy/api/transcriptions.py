"""``POST /v1/audio/transcriptions`` and ``/translations``: OpenAI's shapes, all six formats."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Literal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from spark_audio_proxy.api.answer_headers import answer_headers
from spark_audio_proxy.api.company import EventStream, unless_left
from spark_audio_proxy.api.envelope import error_body, problem_of
from spark_audio_proxy.api.options import TranscriptOptions
from spark_audio_proxy.api.partial import partial_answer
from spark_audio_proxy.api.reception import Reception, Taken
from spark_audio_proxy.api.transcript_work import TranscriptWork
from spark_audio_proxy.decoding.sound import Sound
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.rendering.events import TranscriptEvents, error_event, transcript_events
from spark_audio_proxy.rendering.formats import render
from spark_audio_proxy.speech import Word
from spark_audio_proxy.transcribing.partial import PartialError
from spark_common.settings.speech import SpeechSettings
from spark_common.tasks import end

Task = Literal["transcribe", "translate"]


class Transcriptions:
    """Answers both routes."""

    def __init__(
        self,
        reception: Reception,
        work: TranscriptWork,
        settings: Callable[[], SpeechSettings],
    ) -> None:
        self._reception = reception
        self._work = work
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        router.add_api_route("/v1/audio/transcriptions", self.transcribe, methods=["POST"])
        router.add_api_route("/v1/audio/translations", self.translate, methods=["POST"])
        return router

    async def transcribe(self, request: Request) -> Response:
        """Answer with the words of a recording."""
        return await self._answer(request, "transcribe")

    async def translate(self, request: Request) -> Response:
        """Refuse, or transcribe where the owner wants that."""
        if not self._settings().translate_as_transcribe:
            raise SpeechError(
                "unsupported_operation",
                "the speech server here cannot translate; ask /v1/audio/transcriptions for the "
                "words in the language that is spoken",
            )
        return await self._answer(request, "translate")

    async def _answer(self, request: Request, task: Task) -> Response:
        async with AsyncExitStack() as opened:
            taken = await self._reception.take(request, opened)
            options = TranscriptOptions.of(taken.upload.fields)
            request.state.format = options.response_format.value
            sound = await unless_left(request.receive, taken.sound())
            if options.stream and task == "transcribe":
                return await self._streamed(request, taken, sound, options, opened)
            try:
                transcript = await unless_left(
                    request.receive, self._work.transcript(taken, sound, options)
                )
            except PartialError as error:
                return partial_answer(request, error)
            rendered = render(transcript, options.response_format, options.granularities, task)
            return Response(
                rendered.body,
                headers={
                    **answer_headers(taken.journey, sound.seconds),
                    "content-type": rendered.media_type,
                },
            )

    async def _streamed(
        self,
        request: Request,
        taken: Taken,
        sound: Sound,
        options: TranscriptOptions,
        opened: AsyncExitStack,
    ) -> Response:
        """Answer with events; the status is told only when the first of them is there."""
        events = self._events(taken, sound, options)
        first = await unless_left(request.receive, anext(events))
        kept = opened.pop_all()

        async def all_events() -> AsyncGenerator[bytes, None]:
            yield first
            try:
                async for event in events:
                    yield event
            except Exception as error:
                yield error_event(error_body(problem_of(error))["error"])  # type: ignore[arg-type]
            finally:
                await events.aclose()

        return EventStream(all_events(), kept, answer_headers(taken.journey, sound.seconds))

    async def _events(
        self, taken: Taken, sound: Sound, options: TranscriptOptions
    ) -> AsyncGenerator[bytes, None]:
        if options.speakers:
            for event in transcript_events(await self._work.transcript(taken, sound, options)):
                yield event
            return
        heard: asyncio.Queue[Sequence[Word] | None] = asyncio.Queue()
        work = asyncio.create_task(self._work.transcript(taken, sound, options, heard.put_nowait))
        work.add_done_callback(lambda _: heard.put_nowait(None))
        told = TranscriptEvents()
        try:
            while (words := await heard.get()) is not None:
                for event in told.said(words):
                    yield event
            await work
            yield told.done()
        finally:
            await end([work])
