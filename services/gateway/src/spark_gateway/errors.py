"""The one table from error code to HTTP status, and the renderers of each protocol.

Services know codes and never HTTP; here a code becomes a status, and a status a body in the
dialect of the path: problem+json for the control plane, the OpenAI envelope under ``/v1``, the
Anthropic one under ``/v1/messages``. Everything a framework would say itself is said here too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, JsonValue
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from spark_common.errors import SparkError
from spark_gateway.dialect import asks_as_anthropic, is_v1

STATUSES: Mapping[str, int] = {
    "internal": 500,
    "invalid_request": 422,
    "not_found": 404,
    "unknown_model": 404,
    "gone": 410,
    "too_large": 413,
    "conflict": 409,
    "swap_in_progress": 409,
    "model_not_ready": 409,
    "already_loaded": 409,
    "idempotency_conflict": 409,
    "job_in_progress": 409,
    "model_in_use": 409,
    "quarantined": 409,
    "stale_epoch": 409,
    "lease_held": 423,
    "busy": 429,
    "unavailable": 503,
    "host_unreachable": 503,
    "host_key_changed": 503,
    "service_unavailable": 503,
    "outcome_unknown": 503,
    "deadline_exceeded": 504,
    "remote_command_failed": 502,
    "upstream_failed": 502,
}
"""Every code of ``spark_common.errors`` and its status; a test holds the two together."""

RETRY_AFTER_SECONDS = 5
"""What a caller is told to wait when a part is away; most parts restart faster."""

_FIELDS_TOLD = 20

_CODES: Mapping[int, str] = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    411: "length_required",
    413: "content_too_large",
    415: "unsupported_media_type",
    421: "misdirected_request",
    422: "invalid_request",
}
_SENTENCES: Mapping[int, str] = {
    400: "the request cannot be read",
    404: "there is nothing at this address",
    405: "this address does not answer to that method",
    413: "the body is too large",
}


class Problem(BaseModel):
    """RFC 9457 problem details, as every control route answers an error."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str
    """Names this one request; the log has a line with the same id."""
    details: dict[str, JsonValue] = {}


class OpenAIFault(BaseModel):
    """The inside of an error as OpenAI's clients read it."""

    message: str
    type: str
    param: str | None = None
    code: str
    src: Literal["spark-control", "upstream"] = "spark-control"
    """Whose fault it was."""


class OpenAIError(BaseModel):
    """An error as every route under ``/v1`` answers it."""

    error: OpenAIFault


class AnthropicFault(BaseModel):
    """The inside of an error as Anthropic's clients read it."""

    type: str
    message: str


class AnthropicError(BaseModel):
    """An error as clients of Anthropic's get it, of whatever address."""

    type: Literal["error"] = "error"
    error: AnthropicFault


@dataclass(frozen=True)
class Fault:
    """An error as HTTP will tell it, before a dialect is chosen."""

    status: int
    code: str
    message: str
    details: Mapping[str, JsonValue] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class HttpFaultError(HTTPException):
    """A refusal that only HTTP knows: wrong origin, wrong type of content, too many bytes.

    It is the framework's own class of error so that it passes unchanged through the framework's
    reading of a body.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, message)
        self.fault = Fault(status, code, message, headers=headers or {})


def fault_of(error: Exception) -> Fault:
    """Translate any error; what has no name of ours becomes ``internal`` and says nothing more."""
    if isinstance(error, HttpFaultError):
        return error.fault
    if isinstance(error, SparkError):
        return _spark_fault(error)
    if isinstance(error, RequestValidationError):
        return _validation_fault(error)
    if isinstance(error, HTTPException):
        return _http_fault(error)
    return Fault(500, "internal", "something went wrong here; the log has it under this request id")


def render(fault: Fault, path: str, request_id: str, version: str | None = None) -> Response:
    """Render a fault in the dialect that the clients of ``path`` read.

    ``version`` is the header ``anthropic-version`` of the request.
    """
    headers = dict(fault.headers)
    if asks_as_anthropic(path, version):
        return JSONResponse(_anthropic(fault).model_dump(), fault.status, headers)
    if is_v1(path):
        return JSONResponse(_openai(fault).model_dump(), fault.status, headers)
    problem = Problem(
        type=f"urn:spark-control:problem:{fault.code}",
        title=HTTPStatus(fault.status).phrase,
        status=fault.status,
        detail=fault.message,
        code=fault.code,
        instance=f"urn:spark-control:request:{request_id}",
        details=dict(fault.details),
    )
    return JSONResponse(
        problem.model_dump(), fault.status, headers, media_type="application/problem+json"
    )


def _spark_fault(error: SparkError) -> Fault:
    status = STATUSES.get(error.code, 500)
    if error.code == "internal":
        # A service's own words about its bug are for its log, not for a caller.
        return Fault(500, "internal", "a service failed; its log has it under this request id")
    retry = {"Retry-After": str(RETRY_AFTER_SECONDS)} if error.retryable else {}
    return Fault(status, error.code, error.message, error.details, retry)


def _validation_fault(error: RequestValidationError) -> Fault:
    fields: list[JsonValue] = []
    told: list[str] = []
    for item in error.errors()[:_FIELDS_TOLD]:
        if item["type"] == "json_invalid":
            place = item["loc"][-1]
            return Fault(
                400, "malformed_json", f"the body is not valid JSON, from character {place} on"
            )
        path, reason = ".".join(_printable(part) for part in item["loc"]), str(item["msg"])
        fields.append({"field": path, "reason": reason})
        told.append(f"{path}: {reason}")
    return Fault(422, "invalid_request", "; ".join(told), {"fields": fields})


def _printable(part: object) -> str:
    """A field's name may be anything a caller typed: show its start, and only what prints."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(part)[:80])


def _http_fault(error: HTTPException) -> Fault:
    status = error.status_code
    code = _CODES.get(status, "internal" if status >= 500 else "refused")
    message = _SENTENCES.get(status, HTTPStatus(status).phrase.lower())
    return Fault(status, code, message, headers=dict(error.headers or {}))


def _openai(fault: Fault) -> OpenAIError:
    kind = "server_error" if fault.status >= 500 else "invalid_request_error"
    return OpenAIError(error=OpenAIFault(message=fault.message, type=kind, code=fault.code))


def _anthropic(fault: Fault) -> AnthropicError:
    kinds = {
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
    }
    kind = kinds.get(fault.status, "api_error" if fault.status >= 500 else "invalid_request_error")
    return AnthropicError(error=AnthropicFault(type=kind, message=fault.message))
