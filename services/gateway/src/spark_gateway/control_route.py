"""The kind of route that control routers are made of: guarded before a byte is read."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message

from spark_gateway.delivery_guard import refuse_delivery
from spark_gateway.errors import HttpFaultError
from spark_gateway.parts import parts_of

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
JSON_LIMIT_BYTES = 1024 * 1024
BODY_SECONDS = 60.0
"""How long a whole body may take: it is small, and nobody types it."""


class ControlRoute(APIRoute):
    """A route whose unsafe methods take only same-origin requests with small JSON bodies.

    Declaring a router with ``route_class=ControlRoute`` is the stance of all its routes.
    """

    stance = "same-origin"

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler that checks before FastAPI reads the body."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            if request.method in SAFE_METHODS:
                return await handle(request)
            refuse_delivery(request.headers)
            guard = parts_of(request).origin_guard
            peer = request.client.host if request.client else None
            guard.check(request.headers, request.url.scheme, peer)
            _require_json(request)
            return await handle(Request(request.scope, _Limited(request)))

        return guarded


def _require_json(request: Request) -> None:
    length = request.headers.get("content-length", "0")
    if length == "0" and "transfer-encoding" not in request.headers:
        return
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json" and not (
        kind.startswith("application/") and kind.endswith("+json")
    ):
        raise HttpFaultError(
            415, "unsupported_media_type", "send the body as content-type: application/json"
        )


@dataclass
class _Limited:
    """Counts a body while it is read and stops at the limit, whatever length it declared."""

    request: Request
    seen: int = 0
    over: bool = False
    deadline: float = field(
        default_factory=lambda: asyncio.get_running_loop().time() + BODY_SECONDS
    )

    async def __call__(self) -> Message:
        declared = self.request.headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > JSON_LIMIT_BYTES:
            raise _too_large()
        message = await self._next()
        self.seen += len(message.get("body", b""))
        if self.seen > JSON_LIMIT_BYTES:
            raise _too_large()
        return message

    async def _next(self) -> Message:
        """Return what comes next. Once the body is there, only the end of the client is awaited."""
        if self.over:
            return await self.request.receive()
        try:
            async with asyncio.timeout_at(self.deadline):
                message = await self.request.receive()
        except TimeoutError:
            raise _too_slow() from None
        self.over = not message.get("more_body", False)
        return message


def _too_slow() -> HttpFaultError:
    return HttpFaultError(408, "request_timeout", "the body took too long", {"connection": "close"})


def _too_large() -> HttpFaultError:
    # The rest of the body is still coming: nothing else can use this connection.
    return HttpFaultError(
        413,
        "content_too_large",
        f"a body here may have {JSON_LIMIT_BYTES} bytes",
        {"connection": "close"},
    )
