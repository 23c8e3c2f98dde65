"""Answers of our own under /v1, in the dialect of the API that the caller speaks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from pydantic import JsonValue

from spark_common.ids import new_id
from spark_gateway.dataplane.heads import METHODS
from spark_gateway.dataplane.ports import Field, Refusal
from spark_gateway.dialect import EXPOSED, is_passed_on, is_v1, speaks_anthropic

_OPENAI_TYPES: Final[Mapping[int, str]] = {
    400: "invalid_request_error",
    401: "invalid_request_error",
    403: "permission_error",
    404: "invalid_request_error",
    405: "invalid_request_error",
    408: "invalid_request_error",
    413: "invalid_request_error",
    417: "invalid_request_error",
    429: "rate_limit_error",
    431: "invalid_request_error",
    505: "invalid_request_error",
}
_ANTHROPIC_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
}
_REQUEST_ID: Final = b"x-request-id"
_ANTHROPIC_IDS: Final = (_REQUEST_ID, b"request-id")
"""Anthropic's clients know only the second."""
_CORS: Final[tuple[Field, ...]] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", EXPOSED.encode()),
)


def _speaks_problem(path: bytes) -> bool:
    """Whether this is an address of the control plane. One that is not known is none."""
    text = path.decode("latin-1")
    return path.startswith(b"/") and not is_v1(text) and not is_passed_on(text)


def error_body(
    path: bytes,
    status: int,
    code: str,
    message: str,
    *,
    param: str | None = None,
    source: str = "spark-control",
    extra: Mapping[str, JsonValue] | None = None,
) -> bytes:
    """The JSON of an error as callers of ``path`` expect it; ``source`` says whose fault it was."""
    body: dict[str, JsonValue]
    if speaks_anthropic(path.decode("latin-1")):
        kind = _ANTHROPIC_TYPES.get(
            status, "invalid_request_error" if status < 500 else "api_error"
        )
        body = {"type": "error", "error": {"type": kind, "message": message}}
    else:
        kind = _OPENAI_TYPES.get(status, "server_error")
        body = {
            "error": {
                "message": message,
                "type": kind,
                "param": param,
                "code": code,
                "src": source,
            }
        }
    body.update(extra or {})
    return json.dumps(body, separators=(",", ":")).encode()


def refuse(
    path: bytes,
    status: int,
    code: str,
    message: str,
    *,
    param: str | None = None,
    source: str = "spark-control",
    extra: Mapping[str, JsonValue] | None = None,
    headers: tuple[Field, ...] = (),
    close: bool = False,
) -> Refusal:
    """An error answer. Readable for browser apps of any origin, as vLLM's own errors are."""
    body = error_body(path, status, code, message, param=param, source=source, extra=extra)
    if speaks_anthropic(path.decode("latin-1")):
        return Refusal(status, body, (*_CORS, *headers), close, identifiers=_ANTHROPIC_IDS)
    return Refusal(status, body, (*_CORS, *headers), close)


def bad_request(path: bytes, status: int, message: str) -> Refusal:
    """The request cannot be acted on; the connection ends because its bytes cannot be trusted.

    Any path may be asked for with such bytes, so here the control plane's dialect counts too.
    """
    if _speaks_problem(path):
        return _problem(status, "invalid_request", message)
    return refuse(path, status, "invalid_request", message, close=True)


def unknown_method(path: bytes) -> Refusal:
    """405 for a method that nothing behind this port answers, whatever the address."""
    message = "this address does not answer to that method"
    if _speaks_problem(path):
        refusal = _problem(405, "method_not_allowed", message)
    else:
        refusal = refuse(path, 405, "method_not_allowed", message, close=True)
    return replace(refusal, headers=(*refusal.headers, (b"allow", b", ".join(METHODS))))


def _problem(status: int, code: str, message: str) -> Refusal:
    request_id = new_id()
    body = {
        "type": f"urn:spark-control:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": message,
        "code": code,
        "instance": f"urn:spark-control:request:{request_id}",
        "details": {},
    }
    return Refusal(
        status,
        json.dumps(body, separators=(",", ":")).encode(),
        ((_REQUEST_ID, request_id.encode("ascii")), (b"x-content-type-options", b"nosniff")),
        close=True,
        content_type=b"application/problem+json",
    )


def no_websocket(path: bytes) -> Refusal:
    """501: no server behind this port speaks it, and as a plain GET it would not be understood."""
    message = 'WebSockets are not spoken here; ask by HTTP, with "stream" where events are wanted'
    again = ((b"x-should-retry", b"false"),)
    return refuse(path, 501, "websocket_not_supported", message, headers=again)


def body_too_large(path: bytes, limit: int) -> Refusal:
    """413, before the body is read or while it is counted."""
    message = f"the request body is larger than {limit} bytes"
    return refuse(path, 413, "request_too_large", message, close=True)


def upstream_down(path: bytes, title: str) -> Refusal:
    """502: no connection, or it broke before the answer began. ``title``: what it is."""
    message = f"{title} does not answer; see the dashboard for what it is doing"
    return refuse(path, 502, "upstream_unavailable", message, source="upstream")


def upstream_silent(path: bytes, title: str) -> Refusal:
    """504: connected, but no answer in time."""
    message = f"{title} did not begin to answer in time"
    return refuse(path, 504, "upstream_timeout", message, source="upstream", close=True)


def waited_too_long(path: bytes) -> Refusal:
    """503: nothing was decided about it for as long as a request may take."""
    message = "the request waited as long as it may and did not get its turn; send it again"
    again = ((b"retry-after", b"15"), (b"x-should-retry", b"true"))
    return refuse(path, 503, "waited_too_long", message, headers=again, close=True)


def going_away(path: bytes) -> Refusal:
    """503: this server stops, and the request has not reached another one yet."""
    message = "the gateway is being restarted; send the request again"
    again = ((b"retry-after", b"5"), (b"x-should-retry", b"true"))
    return refuse(path, 503, "restarting", message, headers=again, close=True)


def broken_stream_event(path: bytes, title: str, *, too_long: bool = False) -> bytes:
    """The last server-sent event of a stream that broke. No ``[DONE]`` follows it."""
    if too_long:
        message = "the answer took longer than is allowed"
        body = error_body(path, 504, "answer_timeout", message)
    else:
        message = f"{title} stopped in the middle of the answer"
        body = error_body(path, 502, "upstream_disconnected", message, source="upstream")
    prefix = b"event: error\n" if speaks_anthropic(path.decode("latin-1")) else b""
    return b"%bdata: %b\n\n" % (prefix, body)


def render(refusal: Refusal, common: Sequence[Field], request_id: bytes, *, no_body: bool) -> bytes:
    """A refusal as HTTP/1.1. ``common`` are the server's own fields (date); HEAD has no body.

    ``request_id`` counts unless the refusal brings its own.
    """
    try:
        phrase = HTTPStatus(refusal.status).phrase.encode()
    except ValueError:
        phrase = b""
    out = [b"HTTP/1.1 %d %b\r\n" % (refusal.status, phrase)]
    for name, value in (*common, *refusal.headers):
        out += (name, b": ", value, b"\r\n")
    if refusal.status != HTTPStatus.NO_CONTENT:
        out += (b"content-type: ", refusal.content_type, b"\r\n")
        out.append(b"content-length: %d\r\n" % len(refusal.body))
    if all(name != _REQUEST_ID for name, _ in refusal.headers):
        for name in refusal.identifiers:
            out += (name, b": ", request_id, b"\r\n")
    if refusal.close:
        out.append(b"connection: close\r\n")
    out.append(b"\r\n")
    if not no_body:
        out.append(refusal.body)
    return b"".join(out)
