"""An answer that is sent while it is made, and that breaks off visibly when it cannot go on."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from spark_audio_proxy.api.company import unless_left


class MadeAnswer(Response):
    """Its body is sent chunk by chunk.

    An error of ``body`` after the first byte is raised: the server then cuts the connection, so
    that nobody takes half an answer for a whole one. However it ends, ``release`` is called:
    closing a body that nobody began to read would let go of nothing.
    """

    def __init__(
        self,
        body: AsyncGenerator[bytes, None],
        media_type: str,
        headers: Mapping[str, str],
        release: Callable[[], Awaitable[None]],
    ) -> None:
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self._chunks = body
        self._release = release
        self.init_headers({**headers, "content-type": media_type})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await unless_left(receive, self._sent(send))
        finally:
            try:
                await self._chunks.aclose()
            finally:
                await self._release()

    async def _sent(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for chunk in self._chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
