"""The outermost layer: every request gets an id, a known host, and an answer in our words."""

import re
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spark_common.ids import new_id
from spark_gateway.allowed_hosts import AllowedHosts
from spark_gateway.dialect import ANTHROPIC_VERSION, is_v1
from spark_gateway.errors import HttpFaultError, fault_of, render
from spark_gateway.security_headers import add_security_headers

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\Z")
_KEY = "spark.request_id"
_LOG = structlog.get_logger()


def request_id_of(scope: Scope) -> str:
    """Return the id under which this request is logged and its questions travel on the bus."""
    return str(scope[_KEY])


class Boundary:
    """Wraps the whole application.

    Gives the request its id (the caller's when it is one), refuses foreign hosts, forgives
    doubled and trailing slashes, answers HEAD wherever GET is answered, adds the security
    headers, and turns whatever escapes into a bare 500.
    """

    def __init__(self, app: ASGIApp, hosts: AllowedHosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = headers.get("x-request-id", "")
        request_id = asked if _REQUEST_ID.match(asked) else new_id()
        answer = _Answer(send, request_id, scope["path"], head=scope["method"] == "HEAD")
        inner = _normalised(scope) | {_KEY: request_id}
        # The access log line is written after us, in the same task.
        structlog.contextvars.bind_contextvars(correlation_id=request_id)
        try:
            # Any origin may read /v1 (see security_headers), so a name of its own gains nothing.
            if not is_v1(inner["path"]) and not self._hosts.admits(headers.get("host")):
                raise HttpFaultError(
                    421,
                    "host_not_allowed",
                    "this host name is not one of ours; the owner can add it to ALLOWED_HOSTS",
                )
            await self._app(inner, receive, answer.send)
        except HttpFaultError as refusal:
            await _fail(refusal, inner, receive, answer)
        except Exception as error:
            _LOG.exception("http.failed")
            if answer.status is None:
                await _fail(error, inner, receive, answer)
        finally:
            if "route" in inner:
                scope["route"] = inner["route"]


class _Answer:
    """The way out: completes the headers, and drops the body of an answer to HEAD."""

    def __init__(self, send: Send, request_id: str, path: str, *, head: bool) -> None:
        self.status: int | None = None
        self._send = send
        self._request_id = request_id
        self._path = path
        self._head = head

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(raw=list(message.get("headers", [])))
            headers["x-request-id"] = self._request_id
            add_security_headers(headers, self._path)
            message = {**message, "headers": headers.raw}
        elif self._head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)


async def _fail(error: Exception, scope: Scope, receive: Receive, answer: _Answer) -> None:
    response = _rendered(error, scope)
    await response(scope, receive, answer.send)


def _normalised(scope: Scope) -> dict[str, Any]:
    path = re.sub(r"/{2,}", "/", scope["path"])
    if len(path) > 1:
        path = path.removesuffix("/")
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    return {**scope, "path": path, "method": method, "spark.head": scope["method"] == "HEAD"}


async def answer_error(request: Request, error: Exception) -> Response:
    """Answer an error that a route raised; registered for every class of error there is."""
    return _rendered(error, request.scope)


def _rendered(error: Exception, scope: Scope) -> Response:
    version = Headers(scope=scope).get(ANTHROPIC_VERSION)
    return render(fault_of(error), scope["path"], request_id_of(scope), version)
