"""Server-sent events on the wire: frames as bytes, and the response that carries them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Mapping

from pydantic import JsonValue
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

KEEP_ALIVE = b": keep-alive\n\n"
PREAMBLE = b"retry: 1000\n\n"
RESET = b"event: reset\ndata: {}\n\n"
"""What the client has belongs to another stream: forget it, everything follows again."""

_HEADERS = {
    "content-type": "text/event-stream",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
}
_LAST_WORD_SECONDS = 1.0


def event_frame(
    name: str, payload: Mapping[str, JsonValue] | str, event_id: str | None = None
) -> bytes:
    """Render one event; ``payload`` is an object or ready JSON text without line breaks."""
    text = payload if isinstance(payload, str) else json.dumps(payload, separators=(",", ":"))
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {name}\ndata: {text}\n\n".encode()


class EventStream(Response):
    """Sends frames until they end, the client goes, or ``dropped`` is set.

    The frames are closed in every case. A client that was dropped while it did not read gets
    a second to take the end of the response, then the connection is cut.
    """

    def __init__(self, frames: AsyncGenerator[bytes, None], dropped: asyncio.Event) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._frames = frames
        self._dropped = dropped

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the stream as an ASGI response."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if not scope.get("spark.head"):
            await self._stream(receive, send)
        await self._frames.aclose()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORD_SECONDS):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stream(self, receive: Receive, send: Send) -> None:
        pump = asyncio.ensure_future(self._pump(send))
        endings = {
            pump,
            asyncio.ensure_future(_gone(receive)),
            asyncio.ensure_future(self._dropped.wait()),
        }
        try:
            await asyncio.wait(endings, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in endings:
                task.cancel()
            await asyncio.gather(*endings, return_exceptions=True)
        if not pump.cancelled():
            pump.result()

    async def _pump(self, send: Send) -> None:
        async for frame in self._frames:
            await send({"type": "http.response.body", "body": frame, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
