"""The largest body: refused by its length before a byte is read, counted while it comes."""

from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spark_audio_proxy.api.envelope import rendered
from spark_audio_proxy.metrics import UPLOAD_BYTES
from spark_audio_proxy.problems import SpeechError

MEGABYTE: Final = 1024 * 1024


def too_large(limit: int, size: int | None) -> SpeechError:
    """Return the refusal; ``size`` None where the body was cut off at the limit."""
    is_size = "is larger" if size is None else f"has {size / MEGABYTE:.1f} MB"
    return SpeechError(
        "file_too_large",
        f"the upload {is_size}, and the limit is {limit / MEGABYTE:g} MB; "
        "send it compressed or in parts",
        param="file",
    )


class BodyLimiter:
    """ASGI: wraps everything that reads a body. ``limit``: bytes, asked for every request.

    A length that lies, or a body in chunks, is cut off where it passes the limit: whoever reads
    it then gets a SpeechError.
    """

    def __init__(self, app: ASGIApp, limit: Callable[[], int]) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit, declared = self._limit(), _declared(scope)
        if declared is not None and declared > limit:
            scope["state"]["problem"] = "file_too_large"
            await rendered(too_large(limit, declared), scope["path"])(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                size = len(message.get("body", b""))
                seen += size
                UPLOAD_BYTES.inc(size)
                if seen > limit:
                    raise too_large(limit, None)
            return message

        await self._app(scope, counted, send)


def _declared(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else None
    return None
