"""Rehydrates while it passes: plain text, or the events of a chat completion."""

import codecs
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as Connection

from spark_redaction.scrub import Book, Rehydrator
from spark_redaction.scrub.tokens.stream import StreamRehydrator
from spark_redaction.vault.scopes import Scope
from spark_redaction.web.events import EventRehydrator


def streamed(request: Request, scope: Scope) -> Response:
    """Answer in the type of the request, piece by piece."""
    rehydrator = Rehydrator(Book(scope.entries))
    kind = request.headers.get("content-type", "text/plain").partition(";")[0].strip()
    events = kind == "text/event-stream"
    pieces = _events(request, rehydrator) if events else _text(request, rehydrator)
    return Passing(pieces, "text/event-stream" if events else "text/plain; charset=utf-8")


class Passing(Response):
    """Sends while the request is still coming in; so nothing else may wait for its end."""

    def __init__(self, pieces: AsyncIterator[bytes], kind: str) -> None:
        super().__init__(
            media_type=kind, headers={"cache-control": "no-store", "x-accel-buffering": "no"}
        )
        del self.headers["content-length"]
        self._pieces = pieces

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Send head and pieces."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for piece in self._pieces:
            if piece:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _text(request: Request, rehydrator: Rehydrator) -> AsyncIterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    stream = StreamRehydrator(rehydrator)
    async for chunk in request.stream():
        said = stream.feed(decoder.decode(chunk))
        if said:
            yield said.encode("utf-8", "replace")
    yield (stream.feed(decoder.decode(b"", final=True)) + stream.close()).encode("utf-8", "replace")


async def _events(request: Request, rehydrator: Rehydrator) -> AsyncIterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    events = EventRehydrator(rehydrator)
    async for chunk in request.stream():
        for block in events.feed(decoder.decode(chunk)):
            yield block.encode("utf-8", "replace")
    for block in events.close():
        yield block.encode("utf-8", "replace")
