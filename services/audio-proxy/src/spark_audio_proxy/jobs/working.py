"""The jobs of this process: each has its recording on disk, and is gone with it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Final

import structlog

from spark_audio_proxy.api.envelope import problem_of
from spark_audio_proxy.api.partial import partial_document
from spark_audio_proxy.api.speaker_work import Prepared
from spark_audio_proxy.jobs.record import LIVING, AudioJob
from spark_audio_proxy.jobs.store import JobStore
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.transcribing.journey import Journey
from spark_audio_proxy.transcribing.partial import PartialError
from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.events import AudioJobChanged
from spark_common.ids import new_id
from spark_common.subjects import audio_job
from spark_common.tasks import end

_BEAT_SECONDS: Final = 5.0
_MOST: Final = 16
"""Jobs of one process, whose recordings all lie on its disk."""

log = structlog.get_logger()


class AudioJobs:
    """Takes on, works off and tells. Their calls to the GPU stand in the line as batch."""

    def __init__(self, store: JobStore, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._works: dict[str, asyncio.Task[None]] = {}

    async def take_on(
        self,
        tenant: str,
        form: str,
        prepared: Prepared,
        journey: Journey,
        opened: AsyncExitStack,
    ) -> AudioJob:
        """Begin a job; what ``opened`` holds is its own from then on, and goes at its end.

        Raises SpeechError ``queue_full``, and UnavailableError while nobody could remember it.
        """
        if len(self._works) >= _MOST:
            raise SpeechError("queue_full", "too many jobs run already", retry_after=60)
        now = self._clock.now()
        job = AudioJob(
            id=new_id(), tenant=tenant, state="queued", format=form,
            sound_seconds=prepared.seconds, created_at=now, seen_at=now,
        )  # fmt: skip
        await self._store.add(job)
        journey.urgency = "batch"
        self._works[job.id] = asyncio.create_task(
            self._carried_out(job, journey, prepared.work, opened.pop_all())
        )
        await self._tell(job)
        return job

    async def stop(self, job: AudioJob) -> bool:
        """Forget a job, and end it where it runs; False when there is none."""
        found = await self._store.delete(job)
        work = self._works.get(job.id)
        if work is not None:
            await end([work])
        return found

    async def close(self) -> None:
        """End all jobs of this process."""
        await end(list(self._works.values()))

    async def _carried_out(
        self,
        job: AudioJob,
        journey: Journey,
        work: Callable[[], Awaitable[Any]],
        kept: AsyncExitStack,
    ) -> None:
        shares: list[float] = [0.0]
        journey.on_progress = shares.append
        working = asyncio.ensure_future(work())
        try:
            async with kept:
                job = await self._followed(job, working, shares)
                await self._ended(job, working)
        except asyncio.CancelledError:
            await self._tell(job.model_copy(update={"state": "cancelled"}))
            raise
        except Exception:
            log.exception("audio.job_broke", job_id=job.id)
        finally:
            working.cancel()
            await asyncio.wait((working,))
            self._works.pop(job.id, None)

    async def _followed(
        self, job: AudioJob, working: "asyncio.Future[Any]", shares: list[float]
    ) -> AudioJob:
        """Say now and then that the job lives, until its work is over or nobody wants it."""
        while not working.done():
            await self._wait(working)
            job = job.model_copy(
                update={"state": "running", "progress": shares[-1], "seen_at": self._clock.now()}
            )
            try:
                wanted = await self._store.save(job)
            except UnavailableError:
                continue
            if not wanted:
                raise asyncio.CancelledError
            await self._tell(job)
        return job

    async def _wait(self, working: "asyncio.Future[Any]") -> None:
        beat = asyncio.ensure_future(self._clock.sleep(_BEAT_SECONDS))
        try:
            await asyncio.wait((working, beat), return_when=asyncio.FIRST_COMPLETED)
        finally:
            beat.cancel()

    async def _ended(self, job: AudioJob, working: "asyncio.Future[Any]") -> None:
        now = self._clock.now()
        ended = {"ended_at": now, "seen_at": now}
        try:
            result = working.result()
        except Exception as error:
            problem = problem_of(error)
            if problem.code == "internal":
                log.error("audio.job_failed", job_id=job.id, exc_info=error)
            told = {"state": "failed", "code": problem.code, "message": problem.message}
            job = job.model_copy(update=ended | told)
            if isinstance(error, PartialError):
                known = partial_document(error.transcript)
                await self._saved(lambda: self._store.keep(job, known))
            else:
                await self._saved(lambda: self._store.save(job))
        else:
            job = job.model_copy(update=ended | {"state": "done", "progress": 1.0})
            await self._saved(lambda: self._store.keep(job, result))
        await self._tell(job)

    async def _saved(self, save: Callable[[], Awaitable[bool]]) -> None:
        """Save an end, however long Redis takes to come back."""
        while True:
            try:
                await save()
            except UnavailableError:
                await self._clock.sleep(_BEAT_SECONDS)
            else:
                return

    async def _tell(self, job: AudioJob) -> None:
        news = AudioJobChanged(
            job=job.id, state=job.state, progress=job.progress, sound_seconds=job.sound_seconds,
            code=job.code if job.state not in LIVING else None, at=self._clock.now(),
        )  # fmt: skip
        try:
            await self._bus.publish(audio_job(job.id), news, id=new_id())
        except UnavailableError as error:
            log.debug("audio.job_not_told", reason=error.message)
