"""Every error as OpenAI's clients expect it, with a status and honest hints about retries."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import JsonValue
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from spark_audio_proxy.problems import ProblemCode, SpeechError
from spark_common.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    SparkError,
    UnavailableError,
)

LONGEST_RETRY_SECONDS: Final = 120
"""OpenAI's clients do not try again at all when they are told to wait longer."""
_MOST_PLACES: Final = 5
_LONGEST_PLACE: Final = 100
_NO_RETRY: Final[Mapping[str, str]] = {"x-should-retry": "false"}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rendering:
    """How a code is told."""

    status: int
    type: str = "invalid_request_error"
    retry_seconds: int | None = None
    """Told when the error itself knows no time."""
    repeats: bool = False
    """It would happen again: a client that repeats 5xx by itself is told not to."""


_SERVER: Final = "server_error"
RENDERINGS: Final[Mapping[ProblemCode, Rendering]] = {
    "invalid_audio": Rendering(400),
    "no_audio_stream": Rendering(400),
    "empty_file": Rendering(400),
    "empty_input": Rendering(400),
    "unknown_voice": Rendering(400),
    "unsupported_format": Rendering(400),
    "unsupported_operation": Rendering(400),
    "missing_file": Rendering(400),
    "invalid_form": Rendering(400),
    "invalid_value": Rendering(400),
    "enrolment_disabled": Rendering(403, "permission_error"),
    "not_found": Rendering(404),
    "method_not_allowed": Rendering(405),
    "upload_timeout": Rendering(408),
    "embedding_model_mismatch": Rendering(409, repeats=True),
    "conflict": Rendering(409, repeats=True),
    "file_too_large": Rendering(413),
    "audio_too_long": Rendering(413),
    "unsupported_media_type": Rendering(415),
    "audio_rejected": Rendering(422, repeats=True),
    "queue_full": Rendering(429, "rate_limit_error", retry_seconds=10),
    "internal": Rendering(500, _SERVER, repeats=True),
    "upstream_bad_response": Rendering(502, _SERVER),
    "empty_timestamps": Rendering(502, _SERVER),
    "upstream_recovering": Rendering(503, _SERVER, retry_seconds=60),
    "upstream_loading": Rendering(503, _SERVER, retry_seconds=30),
    "upstream_down": Rendering(503, _SERVER, retry_seconds=15),
    "diarization_unavailable": Rendering(503, _SERVER, retry_seconds=60),
    "unavailable": Rendering(503, _SERVER, retry_seconds=5),
    "no_room": Rendering(503, _SERVER, retry_seconds=60),
    "upstream_timeout": Rendering(504, _SERVER),
}


def retry_after(problem: SpeechError) -> int | None:
    """Return the whole seconds after which a client should come back, if at all."""
    rendering = RENDERINGS[problem.code]
    if rendering.retry_seconds is None:
        return None
    seconds = rendering.retry_seconds if problem.retry_after is None else problem.retry_after
    return min(LONGEST_RETRY_SECONDS, max(1, math.ceil(seconds)))


def error_body(problem: SpeechError, path: str = "/v1/") -> dict[str, JsonValue]:
    """Return the envelope; under ``/api`` the sentence stands in ``detail`` as well."""
    body: dict[str, JsonValue] = {
        "error": {
            "message": problem.message,
            "type": RENDERINGS[problem.code].type,
            "param": problem.param,
            "code": problem.code,
        }
    }
    if path.startswith("/api/"):
        body["detail"] = problem.message
    return body


def rendered(problem: SpeechError, path: str) -> Response:
    """Return the answer to a request of ``path`` that met this problem."""
    rendering = RENDERINGS[problem.code]
    headers: dict[str, str] = dict(_NO_RETRY) if rendering.repeats else {}
    seconds = retry_after(problem)
    if seconds is not None:
        headers["retry-after"] = str(seconds)
    if problem.code in ("file_too_large", "upload_timeout"):
        # The rest of the body is on its way and will not be read.
        headers["connection"] = "close"
    return JSONResponse(error_body(problem, path), rendering.status, headers=headers)


def problem_of(error: Exception) -> SpeechError:
    """Return what any exception is to the outside; nothing of a framework or library leaks."""
    if isinstance(error, SpeechError):
        return error
    if isinstance(error, HTTPException):
        if error.status_code == 405:
            return SpeechError("method_not_allowed", "this address does not answer to that method")
        if error.status_code == 404:
            return SpeechError("not_found", "there is no such address here")
        return SpeechError("invalid_form", "the request cannot be read")
    if isinstance(error, RequestValidationError):
        return wrong_fields([{**found, "loc": tuple(found["loc"])[1:]} for found in error.errors()])
    if isinstance(error, SparkError):
        return SpeechError(_code_of(error), error.message)
    return SpeechError("internal", "something went wrong here; the log names it")


def wrong_fields(found: Sequence[Mapping[str, Any]]) -> SpeechError:
    """Name the fields in which pydantic found something wrong, the first few of them."""
    if any(each["type"] == "json_invalid" for each in found):
        return SpeechError("invalid_value", "the body is not JSON")
    places = {".".join(str(part) for part in each["loc"])[:_LONGEST_PLACE] for each in found}
    named = sorted(place for place in places if place)[:_MOST_PLACES]
    if not named:
        return SpeechError("invalid_value", "the body is not the JSON that is expected")
    return SpeechError(
        "invalid_value",
        f"wrong or missing: {', '.join(named)}",
        param=named[0] if len(places) == 1 else None,
    )


def _code_of(error: SparkError) -> ProblemCode:
    if isinstance(error, UnavailableError):
        return "unavailable"
    if isinstance(error, NotFoundError):
        return "not_found"
    if isinstance(error, ConflictError):
        mismatch = error.code == "embedding_model_mismatch"
        return "embedding_model_mismatch" if mismatch else "conflict"
    return "invalid_value" if isinstance(error, InvalidRequestError) else "internal"


async def answer_error(request: Request, error: Exception) -> Response:
    """Render any exception of a route."""
    problem = problem_of(error)
    if problem.code == "internal":
        log.error("audio.failed", route=_route(request), exc_info=error)
    request.state.problem = problem.code
    answer = rendered(problem, request.url.path)
    if isinstance(error, HTTPException) and error.headers and "Allow" in error.headers:
        answer.headers["allow"] = error.headers["Allow"]
    return answer


def _route(request: Request) -> str:
    return getattr(request.scope.get("route"), "path", "unmatched")
