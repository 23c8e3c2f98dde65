"""Answers and errors as JSON; the one place that knows the statuses of this service."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from spark_common.errors import InvalidRequestError, SparkError
from spark_redaction.desk.auditing import CALLER
from spark_redaction.desk.counts import REFUSED
from spark_redaction.web.bodies import UnprocessableError

log = structlog.get_logger()

_STATUS = {
    "invalid_request": 400,
    "not_found": 404,
    "conflict": 409,
    "gone": 410,
    "too_large": 413,
    "busy": 429,
    "unavailable": 503,
    "deadline_exceeded": 503,
    "leak_self_check": 500,
}
_LONGEST_CALLER = 64
_TENANT = re.compile(r"[A-Za-z0-9_.:-]{1,64}\Z")


class Answer(Response):
    """JSON in ASCII: a lone half of a character must not break it."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return json.dumps(content, separators=(",", ":")).encode("ascii")


def guarded(
    handle: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Answer every failure by its name alone: a trace or a message may quote what was sent."""

    async def answer(request: Request) -> Response:
        CALLER.set(_caller_of(request))
        try:
            return await handle(request)
        except SparkError as error:
            return refused(error)
        except (HTTPException, ClientDisconnect):
            raise
        except Exception as error:
            log.error("redaction.failed", error=type(error).__name__)
            return refused(SparkError("something went wrong here; nothing is returned"))

    return answer


def refused(error: SparkError) -> Response:
    """Render an error."""
    REFUSED.labels(error.code).inc()
    status = 422 if isinstance(error, UnprocessableError) else _STATUS.get(error.code, 500)
    headers = {"cache-control": "no-store"}
    if status in (429, 503):
        headers["retry-after"] = "1"
    return Answer({"error": error.body().model_dump()}, status, headers=headers)


def answered(content: Any, status: int = 200) -> Response:
    """Render an answer; nobody keeps a copy on the way."""
    return Answer(content, status, headers={"cache-control": "no-store"})


def _caller_of(request: Request) -> str:
    """What the gateway calls the key; only ever written down, so a bad one is left out."""
    label = unquote(request.headers.get("x-spark-label", ""), errors="replace")[:_LONGEST_CALLER]
    return label if label.isprintable() else ""


def tenant_of(request: Request) -> str:
    """Whose request it is; set by the gateway, one tenant for all where nobody sets it."""
    tenant = request.headers.get("x-tenant", "default")
    if not _TENANT.match(tenant):
        raise InvalidRequestError("X-Tenant must be letters, digits, dot, dash, underscore")
    return tenant
