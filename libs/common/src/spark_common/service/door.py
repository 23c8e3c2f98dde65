"""The HTTP side of every service: health and metrics always, its own routes once it is built."""

from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spark_common.clock import Clock
from spark_common.errors import ErrorBody
from spark_common.service.checks import unready_reasons
from spark_common.service.metrics import IN_FLIGHT, READY, REGISTRY, REQUEST_SECONDS, REQUESTS
from spark_common.service.parts import Service

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CODES = {404: "not_found", 405: "invalid_request", 413: "invalid_request"}

log = structlog.get_logger()


class Door:
    """An ASGI application that answers ``/livez``, ``/readyz`` and ``/metrics`` from the start.

    Everything else is 503 until ``open`` was called with the built service.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._service: Service | None = None
        self._inside: ASGIApp | None = None
        self.waiting_for = "the service is being put together"
        """What the start is held up by, one sentence; shown by ``/readyz`` until ``open``."""
        self.stopping = False
        self._own: dict[str, Callable[[], Awaitable[Response]]] = {
            "/livez": self._livez,
            "/readyz": self._readyz,
            "/metrics": self._metrics,
        }

    def open(self, service: Service) -> None:
        """Let requests through to the service."""
        self._service = service
        self._inside = Router(
            routes=list(service.routes), default=service.app or _no_route, redirect_slashes=False
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever the service raises is logged and answered as internal."""
        if scope["type"] != "http":
            inside = self._inside
            if inside is not None:
                await inside(scope, receive, send)
            return
        own = self._own.get(scope["path"])
        if own is not None and scope["method"] in ("GET", "HEAD"):
            await (await own())(scope, receive, send)
            return
        await self._measured(scope, receive, send)

    async def _measured(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = self._clock.monotonic()
        status = 0

        async def counting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        # Routes raise their refusals instead of rendering plain text when they see an application.
        scope["app"] = self._inside
        IN_FLIGHT.inc()
        try:
            if self._inside is None:
                await self._not_yet()(scope, receive, counting_send)
            else:
                await self._inside(scope, receive, counting_send)
        except HTTPException as refusal:
            await _render(refusal.status_code, refusal.headers)(scope, receive, counting_send)
        except ClientDisconnect:
            log.debug("http.client_left", route=_route(scope))
        except Exception:
            log.exception("http.failed", method=scope["method"], route=_route(scope))
            if status:
                # Half an answer must look like half an answer: the server cuts the connection.
                raise CutShortError from None
            await _render(500)(scope, receive, counting_send)
        finally:
            IN_FLIGHT.dec()
            took_seconds = self._clock.monotonic() - began
            route = _route(scope)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            REQUESTS.labels(method, route, status).inc()
            REQUEST_SECONDS.labels(route).observe(took_seconds)
            log.info(
                "http.request",
                method=method,
                route=route,
                status=status,
                took_seconds=round(took_seconds, 4),
            )

    async def _livez(self) -> Response:
        # Answering at all proves that the event loop turns.
        return JSONResponse({"alive": True, "service": self._name})

    async def _readyz(self) -> Response:
        reasons = await self._reasons()
        READY.set(0 if reasons else 1)
        body = {"ready": not reasons, "service": self._name, "reasons": reasons}
        return JSONResponse(body, 503 if reasons else 200, headers={"cache-control": "no-store"})

    async def _metrics(self) -> Response:
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    async def _reasons(self) -> list[str]:
        if self.stopping:
            return ["stopping: the process was asked to end"]
        if self._service is None:
            return [f"starting: {self.waiting_for}"]
        return await unready_reasons(self._service.checks)

    def _not_yet(self) -> Response:
        message = f"{self._name} is starting: {self.waiting_for}"
        return _error(503, "unavailable", message, {"retry-after": "2"}, retryable=True)


class CutShortError(Exception):
    """An answer broke off after its first byte; the cause was logged where it happened."""


async def _no_route(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await _render(404)(scope, receive, send)


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "unmatched")


def _render(status: int, headers: object = None) -> Response:
    messages = {404: "no such route", 405: "this route does not know that method"}
    default = "something went wrong here; the log names it" if status >= 500 else "refused"
    code = _CODES.get(status, "internal" if status >= 500 else "invalid_request")
    extra = dict(headers) if isinstance(headers, dict) else {}
    return _error(status, code, messages.get(status, default), extra)


def _error(
    status: int, code: str, message: str, headers: dict[str, str], retryable: bool = False
) -> Response:
    body = ErrorBody(code=code, message=message, retryable=retryable)
    return JSONResponse({"error": body.model_dump()}, status, headers=headers)
