"""Work for somebody who may leave: it ends with them, and so does what it holds."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import AsyncExitStack
from typing import Final, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from spark_audio_proxy.rendering.events import KEEP_ALIVE
from spark_common.tasks import end

_QUIET_SECONDS: Final = 10.0
"""After so long without an event a stream shows that it is alive."""

ResultT = TypeVar("ResultT")


async def unless_left(receive: Receive, work: Awaitable[ResultT]) -> ResultT:
    """Return what the work gives; raises ClientDisconnect, with the work cancelled, when left.

    The body of the request has been read: anything else that comes is the end of the connection.
    """
    working: asyncio.Future[ResultT] = asyncio.ensure_future(work)
    watching = asyncio.create_task(_left(receive))
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        watching.cancel()
        if isinstance(working, asyncio.Task):
            await end([working, watching])
        else:
            working.cancel()


async def client_left(request: Request) -> None:
    """Return when the client is gone."""
    await _left(request.receive)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class EventStream(Response):
    """Server-sent events as they come; what ``opened`` holds is closed at their end."""

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        opened: AsyncExitStack,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(
            headers={**headers, "cache-control": "no-store", "x-accel-buffering": "no"}
        )
        del self.headers["content-length"]
        self._events = events
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything; an error in the middle is an event, see the generator."""
        try:
            await unless_left(receive, self._send(send))
        finally:
            await self._events.aclose()
            await self._opened.aclose()

    async def _send(self, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        upcoming = asyncio.ensure_future(anext(self._events, None))
        try:
            while True:
                await asyncio.wait((upcoming,), timeout=_QUIET_SECONDS)
                piece: bytes | None = KEEP_ALIVE
                if upcoming.done():
                    piece = upcoming.result()
                    if piece is None:
                        break
                    upcoming = asyncio.ensure_future(anext(self._events, None))
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        finally:
            upcoming.cancel()
            await asyncio.wait((upcoming,))
        await send({"type": "http.response.body", "body": b""})
