"""The largest body: refused by its length before a byte is read, counted while it comes."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spark_audio_proxy.api.envelope import rendered
from spark_audio_proxy.metrics import UPLOAD_BYTES
from spark_audio_proxy.problems import SpeechError

MEGABYTE: Final = 1024 * 1024
_LINGER_SECONDS: Final = 10.0


def too_large(limit: int, size: int | None) -> SpeechError:
    """Return the refusal; ``size`` None where the body was cut off at the limit."""
    is_size = "is larger" if size is None else f"has {size / MEGABYTE:.1f} MB"
    return SpeechError(
        "file_too_large",
        f"the upload {is_size}, and the limit is {round(limit / MEGABYTE, 2):g} MB; "
        "send it compressed or in parts",
        param="file",
    )


class BodyLimiter:
    """ASGI: wraps everything that reads a body. ``limit``: bytes, asked for every request.

    A length that lies, or a body in chunks, is cut off where it passes the limit: whoever reads
    it then gets a SpeechError. An answer that comes before the end of the body is sent at once;
    the connection stays for a moment after it, or the client would see a broken one instead.
    """

    def __init__(self, app: ASGIApp, limit: Callable[[], int]) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, send, self._limit())
        declared = _declared(scope)
        if declared is not None and declared > body.limit:
            scope["state"]["problem"] = "file_too_large"
            refusal = rendered(too_large(body.limit, declared), scope["path"])
            await refusal(scope, body.receive, body.send)
            return
        await self._app(scope, body.receive, body.send)


class _Body:
    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self.limit = limit
        self._receive = receive
        self._send = send
        self._seen = 0
        self._over = False

    async def receive(self) -> Message:
        """Return the next message, counted."""
        message = await self._receive()
        if message["type"] != "http.request":
            self._over = True
            return message
        size = len(message.get("body", b""))
        self._seen += size
        UPLOAD_BYTES.inc(size)
        self._over = not message.get("more_body", False)
        if self._seen > self.limit:
            raise too_large(self.limit, None)
        return message

    async def send(self, message: Message) -> None:
        """Send; the end of an answer waits for the body, for a moment."""
        if message["type"] != "http.response.body" or message.get("more_body") or self._over:
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while not self._over:
                    rest = await self._receive()
                    self._over = rest["type"] != "http.request" or not rest.get("more_body", False)
        await self._send({"type": "http.response.body", "body": b""})


def _declared(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else None
    return None
