"""The end of a container's log, and following it, wherever an address for that is."""

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import Header, Query, Request, Response
from pydantic import JsonValue

from spark_common.contracts.services import (
    MOST_LINES,
    READ_SERVICE_LOG,
    LogMark,
    ReadServiceLog,
    ServiceLog,
)
from spark_common.errors import SparkError
from spark_gateway.api.asking import ask
from spark_gateway.errors import HttpFaultError
from spark_gateway.parts import Parts
from spark_gateway.streams.sse import KEEP_ALIVE, PREAMBLE, EventStream, event_frame

_SECONDS = 27.0
"""The log is read on the Spark."""
_EVERY_SECONDS = 2.0
_LONGEST_SECONDS = 15 * 60.0
_MOST_FOLLOWED = 8
"""By everybody together: each asks a Spark every two seconds."""
_PATIENCE = 5
"""So many questions in a row may fail before a follower is sent away."""

Tail = Annotated[int, Query(ge=1, le=MOST_LINES, description="Lines from the end.")]
After = Annotated[LogMark | None, Query(description="`next` of the answer before.")]
LastMark = Annotated[LogMark | None, Header(alias="Last-Event-ID")]


async def read(request: Request, name: str, tail: int, after: str | None) -> ServiceLog:
    """Return the end of a log, or what follows ``after``."""
    question = ReadServiceLog(name=name, tail=tail, after=after)
    return await ask(request, READ_SERVICE_LOG, question, _SECONDS)


async def follow(
    request: Request, parts: Parts, name: str, tail: int, mark: str | None
) -> Response:
    """Stream a log from its end on, or from ``mark``; what is refused at once is an answer."""
    if parts.log_followers.taken >= _MOST_FOLLOWED:
        raise HttpFaultError(
            429,
            "too_many_followers",
            f"{_MOST_FOLLOWED} logs are being followed already; close one, then try again",
            {"Retry-After": "30"},
        )
    with parts.log_followers.one():
        first = await read(request, name, tail, mark)
    return EventStream(_frames(request, parts, first), parts.stopping)


async def _frames(request: Request, parts: Parts, page: ServiceLog) -> AsyncGenerator[bytes, None]:
    """Yield ``lines`` events, each with the place it goes on from, for at most a quarter hour."""
    clock, failed = parts.clock, 0
    deadline = clock.monotonic() + _LONGEST_SECONDS
    with parts.log_followers.one():
        yield PREAMBLE
        while True:
            if page.lines or page.skipped:
                body: dict[str, JsonValue] = {"lines": [*page.lines], "skipped": page.skipped}
                yield event_frame("lines", body, page.next)
            else:
                yield KEEP_ALIVE
            if clock.monotonic() >= deadline:
                yield event_frame("end", {"message": "followed for 15 minutes; ask again to go on"})
                return
            await clock.sleep(_EVERY_SECONDS)
            try:
                page, failed = await read(request, page.name, MOST_LINES, page.next), 0
            except SparkError as error:
                failed += 1
                if not error.retryable or failed >= _PATIENCE:
                    yield event_frame("error", {"code": error.code, "message": f"{error.message}."})
                    return
                page = page.model_copy(update={"lines": [], "skipped": False})
