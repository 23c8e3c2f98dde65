"""Jobs in memory, as Redis keeps them."""

import json
from typing import Any

from spark_audio_proxy.jobs.record import AudioJob


class MemoryJobs:
    """A ``JobStore`` that never forgets by itself."""

    def __init__(self) -> None:
        self._jobs: dict[str, AudioJob] = {}
        self._results: dict[str, str] = {}

    async def add(self, job: AudioJob) -> None:
        """Take a new job down."""
        self._jobs[job.id] = job

    async def save(self, job: AudioJob) -> bool:
        """Save how a job stands; False when somebody deleted it."""
        if job.id not in self._jobs:
            return False
        self._jobs[job.id] = job
        return True

    async def keep(self, job: AudioJob, result: Any) -> bool:
        """Save a job that is done, with what it found."""
        saved = await self.save(job)
        if saved:
            self._results[job.id] = json.dumps(result)
        return saved

    async def get(self, tenant: str, job_id: str) -> AudioJob | None:
        """Return a job of a tenant."""
        job = self._jobs.get(job_id)
        return job if job is not None and job.tenant == tenant else None

    async def result(self, job_id: str) -> Any:
        """Return what a job found."""
        text = self._results.get(job_id)
        return None if text is None else json.loads(text)

    async def latest(self, tenant: str) -> list[AudioJob]:
        """Return the latest jobs of a tenant, the newest first."""
        return [job for job in self._jobs.values() if job.tenant == tenant][::-1]

    async def delete(self, job: AudioJob) -> bool:
        """Forget a job and what it found."""
        self._results.pop(job.id, None)
        return self._jobs.pop(job.id, None) is not None
