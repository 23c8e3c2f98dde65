"""One HTTP exchange in raw ASGI: read a body, answer, stream, and notice that the client left."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
_JSON = "application/json"


class ClientGoneError(Exception):
    """The client closed the connection before its answer was whole."""


class Exchange:
    """Request and response of one call."""

    def __init__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        self.client: tuple[str, int] = tuple(scope.get("client") or ("", 0))
        self.status = 0
        self._receive = receive
        self._send = send

    async def body(self) -> bytes:
        """Read the whole request body. Raises ClientGoneError."""
        pieces: list[bytes] = []
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            pieces.append(message.get("body", b""))
            if not message.get("more_body"):
                return b"".join(pieces)

    async def reply_json(self, value: object, status: int = 200, **headers: str) -> None:
        """Answer with JSON."""
        await self.reply(compact(value).encode(), _JSON, status, **headers)

    async def reply(
        self, payload: bytes, content_type: str | None = None, status: int = 200, **headers: str
    ) -> None:
        """Answer with bytes; ``headers`` come before the length as uvicorn's applications do."""
        self.status = status
        rows = [(name.replace("_", "-"), value) for name, value in headers.items()]
        rows.append(("content-length", str(len(payload))))
        if content_type:
            rows.append(("content-type", content_type))
        await self._start(status, rows)
        body = b"" if self.method == "HEAD" else payload
        await self._send({"type": "http.response.body", "body": body})

    async def reply_stream(self, events: AsyncIterator[str]) -> None:
        """Answer with server-sent events; ends the source when the client leaves."""
        self.status = 200
        await self._start(200, [("content-type", "text/event-stream; charset=utf-8")])
        await self.unless_gone(self._pour(events))

    async def reply_pieces(
        self, pieces: AsyncIterator[bytes], content_type: str, **headers: str
    ) -> None:
        """Answer with bytes as they come: the head at once, and no length.

        Ends the source when the client leaves. An error of the source ends the connection in the
        middle of the answer.
        """
        self.status = 200
        rows = [(name.replace("_", "-"), value) for name, value in headers.items()]
        await self._start(200, [*rows, ("content-type", content_type)])
        await self.unless_gone(self._pour_bytes(pieces))

    async def unless_gone(self, work: Awaitable[Any]) -> Any:
        """Await work, or cancel it when the client leaves. Raises ClientGoneError."""
        working = asyncio.ensure_future(work)
        leaving = asyncio.create_task(self.until_gone())
        try:
            await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise ClientGoneError
            return working.result()
        finally:
            leaving.cancel()
            working.cancel()
            await asyncio.gather(working, leaving, return_exceptions=True)

    async def _pour_bytes(self, pieces: AsyncIterator[bytes]) -> None:
        async for piece in pieces:
            if piece:
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})

    async def _pour(self, events: AsyncIterator[str]) -> None:
        async for event in events:
            message = {"type": "http.response.body", "body": event.encode(), "more_body": True}
            await self._send(message)
        await self._send({"type": "http.response.body", "body": b""})

    async def until_gone(self) -> None:
        """Wait until the client has left, or was cut off. Only after the body was read."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _start(self, status: int, rows: list[tuple[str, str]]) -> None:
        if all(name != "vary" for name, _ in rows):
            rows = [*rows, ("vary", "Origin")]
        headers = [(name.encode(), value.encode()) for name, value in rows]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})


def compact(value: object) -> str:
    """Return JSON without blanks, text as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def sse(value: object, event: str | None = None) -> str:
    """Return one server-sent event."""
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {compact(value)}\n\n"
