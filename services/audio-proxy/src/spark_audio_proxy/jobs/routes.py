"""``/api/audio/jobs``: 202 for a recording of any length, and how it stands."""

import json
from contextlib import AsyncExitStack
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from spark_audio_proxy.api.company import unless_left
from spark_audio_proxy.api.options import TranscriptOptions
from spark_audio_proxy.api.reception import Reception, Taken
from spark_audio_proxy.api.speaker_work import Prepared, SpeakerWork
from spark_audio_proxy.api.transcript_work import TranscriptWork
from spark_audio_proxy.jobs.record import AudioJob
from spark_audio_proxy.jobs.store import JobStore
from spark_audio_proxy.jobs.working import AudioJobs
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.rendering.formats import ResponseFormat, render
from spark_audio_proxy.transcribing.caller import tenant_of
from spark_common.clock import Clock
from spark_common.ids import is_id

_PATH = "/api/audio/jobs"
_SPEAKERS = "speakers"
_JSON = frozenset((ResponseFormat.JSON, ResponseFormat.VERBOSE_JSON, ResponseFormat.DIARIZED_JSON))


class JobRoutes:
    """Answers them. Without ``response_format`` a job is a transcript with speakers."""

    def __init__(
        self,
        reception: Reception,
        transcripts: TranscriptWork,
        speakers: SpeakerWork,
        jobs: AudioJobs,
        store: JobStore,
        clock: Clock,
    ) -> None:
        self._reception = reception
        self._transcripts = transcripts
        self._speakers = speakers
        self._jobs = jobs
        self._store = store
        self._clock = clock

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        router.add_api_route(_PATH, self.begin, methods=["POST"])
        router.add_api_route(_PATH, self.listed, methods=["GET"])
        router.add_api_route(f"{_PATH}/{{job_id}}", self.shown, methods=["GET"])
        router.add_api_route(f"{_PATH}/{{job_id}}", self.removed, methods=["DELETE"])
        return router

    async def begin(self, request: Request) -> Response:
        """Take a recording in, decode it, and answer 202: what follows goes on without a caller."""
        async with AsyncExitStack() as opened:
            taken = await self._reception.take(request, opened)
            form = taken.upload.fields.one("response_format").lower() or _SPEAKERS
            prepared = await unless_left(request.receive, self._prepared(taken, form))
            # From here on it is nobody's request any more.
            taken.journey.state = {}
            job = await self._jobs.take_on(taken.tenant, form, prepared, taken.journey, opened)
        where = f"{_PATH}/{job.id}"
        return JSONResponse(job.document(), 202, headers={"location": where})

    async def listed(self, request: Request) -> Response:
        """Answer with the caller's latest jobs, without what they found."""
        latest = await self._store.latest(tenant_of(request))
        jobs = [job.as_seen(self._clock.now()).document() for job in latest]
        return JSONResponse({"object": "list", "data": jobs})

    async def shown(self, request: Request, job_id: str) -> Response:
        """Answer with one job, and with what it found once it is done."""
        job = await self._found(request, job_id)
        body = job.document()
        if job.state in ("done", "failed"):
            found = await self._store.result(job.id)
            # Of one that failed there may be some parts.
            if job.state == "done" or found is not None:
                body["result"] = found
        return JSONResponse(body, headers={"cache-control": "no-store"})

    async def removed(self, request: Request, job_id: str) -> Response:
        """End a job and forget what it found."""
        job = await self._found(request, job_id)
        await self._jobs.stop(job)
        return Response(status_code=204)

    async def _found(self, request: Request, job_id: str) -> AudioJob:
        job = await self._store.get(tenant_of(request), job_id) if is_id(job_id) else None
        if job is None:
            raise SpeechError("not_found", "there is no such job, or it was deleted")
        return job.as_seen(self._clock.now())

    async def _prepared(self, taken: Taken, form: str) -> Prepared:
        if form == _SPEAKERS:
            return await self._speakers.prepared(taken)
        options = TranscriptOptions.of(taken.upload.fields)
        sound = await taken.sound()

        async def work() -> Any:
            found = await self._transcripts.transcript(taken, sound, options)
            rendered = render(found, options.response_format, options.granularities)
            text = rendered.body.decode()
            return json.loads(text) if options.response_format in _JSON else text

        return Prepared(sound.seconds, work)
