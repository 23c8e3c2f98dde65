"""How errors show in the OpenAPI document."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from spark_gateway.errors import AnthropicError, OpenAIError, Problem

ERROR_SCHEMAS: dict[str, Any] = models_json_schema(
    [(model, "serialization") for model in (Problem, OpenAIError, AnthropicError)],
    ref_template="#/components/schemas/{model}",
)[1]["$defs"]
"""Components that the documents of all routes point at."""

_REASONS = {
    400: "the body is not JSON",
    401: "API keys are asked for, and none that counts was shown",
    403: "sent by a page of another site, or with a key that does not open it",
    404: "no such thing",
    409: "a legal request at the wrong moment",
    410: "it was there; it expired or was erased",
    413: "the body is too large",
    415: "the body is not declared as JSON",
    422: "the request is wrong; details name the fields",
    423: "somebody reserved the cluster",
    429: "too much of it came from this address; try again after Retry-After seconds",
    502: "a program or a server on a Spark failed",
    503: "a part is away; try again after Retry-After seconds",
    504: "no answer in time",
}
READ = (401, 403, 422, 503, 504)
REMOVE = (401, 403, 409, 415, 422, 503, 504)
"""Of a change without a body."""
CHANGE = (400, 401, 403, 409, 413, 415, 422, 423, 503, 504)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses`` of a control route that may answer these statuses."""
    return {status: _response(status, "application/problem+json", Problem) for status in statuses}


def openai_errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses`` of a route under ``/v1`` that may answer these statuses.

    Clients that say ``anthropic-version`` are refused in their words.
    """
    return {
        status: _response(status, "application/json", OpenAIError, AnthropicError)
        for status in statuses
    }


def _response(status: int, media_type: str, *models: type[BaseModel]) -> dict[str, Any]:
    # Not FastAPI's "model": it would declare application/json beside the true type.
    shapes = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in models]
    schema: dict[str, Any] = shapes[0] if len(shapes) == 1 else {"anyOf": shapes}
    return {"description": _REASONS[status], "content": {media_type: {"schema": schema}}}
