"""What the checks that ask over HTTP have in common."""

from abc import ABC, abstractmethod
from typing import Any

import httpx

from spark_common.clock import Clock
from spark_health.deep.answers import Answer, JobFailedError, ask
from spark_health.deep.ports import Outcome, Place


class HttpJob(ABC):
    """A deep check: one job, whose failure is an outcome and no error."""

    def __init__(self, place: Place, http: httpx.AsyncClient, clock: Clock) -> None:
        self.place = place
        self._http = http
        self._clock = clock

    async def run(self) -> Outcome:
        """Do the job once."""
        try:
            return await self._job()
        except JobFailedError as failed:
            return failed.outcome

    @abstractmethod
    async def _job(self) -> Outcome:
        """Do it; raises JobFailedError."""

    async def _ask(self, method: str, path: str, seconds: float, **options: Any) -> Answer:
        """Ask the service once; raises JobFailedError."""
        url = f"{self.place.base_url}{path}"
        return await ask(self._http, self._clock, method, url, seconds=seconds, **options)
