"""Puts the request log together: two verbs, and forgetting what is too old."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import structlog

from spark_common.book_file import BookFile
from spark_common.bus.port import Serving
from spark_common.clock import Clock
from spark_common.contracts.requests import (
    APPEND_REQUESTS,
    LIST_REQUESTS,
    Appended,
    AppendRequests,
    ListRequests,
    Requests,
)
from spark_common.errors import UnavailableError
from spark_common.settings.policies import RequestLogSettings
from spark_coordinator.feature import Feature
from spark_coordinator.requests.book import RequestBook

NAME = "requests.sqlite"
_BETWEEN_SECONDS = 3600.0

_log = structlog.get_logger()


class RequestLog:
    """The lines of all gateways. Every method raises UnavailableError while the file is away."""

    def __init__(
        self, folder: Path, clock: Clock, settings: Callable[[], RequestLogSettings]
    ) -> None:
        self._file = BookFile(folder / NAME, RequestBook, clock, "request log")
        self._clock = clock
        self._settings = settings

    async def append(self, request: AppendRequests) -> Appended:
        """Keep lines, each once; none of them while the owner wants no log."""
        if self._settings().request_log_days:
            await self._file.run(lambda book: book.append(request.lines))
        return Appended()

    async def page(self, request: ListRequests) -> Requests:
        """Return a page."""
        page = await self._file.run(lambda book: book.find(request))
        return page.model_copy(update={"problems": self._problems()})

    async def forget(self) -> None:
        """Delete what is older than the owner wants, a little at a time."""
        before = self._clock.now() - timedelta(days=self._settings().request_log_days)
        while await self._file.run(lambda book: book.forget(before)):
            await self._clock.sleep(0)

    async def run(self) -> None:
        """Forget for ever."""
        while True:
            try:
                await self.forget()
            except UnavailableError as error:
                _log.debug("requests.not_forgotten", reason=error.message)
            await self._clock.sleep(_BETWEEN_SECONDS)

    async def close(self) -> None:
        """Close the file; once more is harmless."""
        await self._file.close()

    def _problems(self) -> list[str]:
        return [
            f"The file of the request log was damaged and is kept as {place.name}; a new one was "
            "begun. Delete that file to be rid of this message."
            for place in self._file.set_aside()
        ]


def requests(folder: Path, clock: Clock, settings: Callable[[], RequestLogSettings]) -> Feature:
    """Return the feature; ``folder`` is the coordinator's below DATA_DIR."""
    log = RequestLog(folder, clock, settings)
    return Feature(
        verbs=[
            Serving(APPEND_REQUESTS, log.append, limit=4),
            Serving(LIST_REQUESTS, log.page, limit=4),
        ],
        background=[log.run],
    )
