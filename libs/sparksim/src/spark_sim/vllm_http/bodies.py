"""Reading and checking request bodies, with the words of FastAPI, pydantic and vLLM."""

import json
from typing import Any

from spark_sim.vllm_http.declared import DECLARED, misfits
from spark_sim.vllm_http.engine import Served
from spark_sim.vllm_http.errors import (
    InvalidBodyError,
    findings,
    invalid,
    refused,
    unknown_model,
    unsupported_media_type,
)  # fmt: skip

Body = dict[str, Any]


class UnparsableBodyError(Exception):
    """Bytes that are no text, or that Python will not read: FastAPI answers, not vLLM."""


def read_body(raw: bytes, content_type: str) -> Body:
    """Return the JSON object of a body. Raises InvalidBodyError, UnparsableBodyError."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise unsupported_media_type()
    if not raw:
        raise invalid("missing", "body", "Field required", None)
    try:
        value = json.loads(raw.decode())
    except json.JSONDecodeError as error:
        context = f", 'ctx': {{'error': {error.msg!r}}}"
        place = f"body.{error.pos}"
        raise invalid("json_invalid", place, "JSON decode error", {}, context) from error
    except (ValueError, RecursionError) as error:
        # No UTF-8, a number of thousands of digits, or brackets thousands deep.
        raise UnparsableBodyError from error
    if not isinstance(value, dict):
        text = "Input should be a valid dictionary or object to extract fields from"
        raise invalid("model_attributes_type", "body", text, value)
    return value


def check_types(body: Body, required: tuple[str, ...], counted: int | None = None) -> None:
    """Check presence and types. Raises InvalidBodyError with all findings.

    ``counted`` is the number of fields that an error quotes, when it differs from the body's.
    """
    shown = f"<dict of {len(body) if counted is None else counted} items>"
    rows: list[tuple[str, str, str, object, str]] = []
    for name in required:
        if name not in body:
            rows.append(("missing", f"body.{name}", "Field required", shown, ""))
    for name, declared in DECLARED.items():
        # An optional field may be null.
        absent = name not in body or (body[name] is None and name not in required)
        if not absent:
            rows.extend(misfits(name, declared, body[name]))
    if rows:
        raise findings(rows)


def check_model(body: Body, served: Served) -> str:
    """Return the name under which the model was asked for. Raises RequestError."""
    name = body.get("model")
    if name is None:
        return served.names[0]
    if name not in served.names:
        raise unknown_model(str(name), served.names)
    return str(name)


def check_sampling(body: Body, context_length: int) -> None:
    """Check what vLLM checks when it builds its sampling parameters. Raises RequestError."""
    if body.get("stream_options") is not None and not body.get("stream"):
        raise refused("Stream options can only be defined when `stream=True`.", "stream_options")
    temperature = body.get("temperature")
    if temperature is not None and float(temperature) < 0:
        value = float(temperature)
        raise refused(f"temperature must be non-negative, got {value}.", "temperature", value)
    top_p = body.get("top_p")
    if top_p is not None and not 0 < float(top_p) <= 1:
        value = float(top_p)
        raise refused(f"top_p must be in (0, 1], got {value}.", "top_p", value)
    count = int(body.get("n") or (0 if body.get("n") == 0 else 1))
    if count < 1:
        raise refused(f"n must be at least 1, got {count}.")
    if count > 16384:
        raise refused(
            f"n must be at most 16384, got {count}. To increase this limit, set the "
            "VLLM_MAX_N_SEQUENCES environment variable."
        )
    limit = asked_limit(body)
    if limit is not None and limit < 1:
        raise refused(f"max_tokens must be at least 1, got {limit}.", "max_tokens", limit)
    if limit is not None and limit > context_length:
        raise refused(
            f"max_tokens={limit} cannot be greater than max_model_len={context_length}. Please "
            "request fewer output tokens.", "max_tokens", limit,
        )  # fmt: skip


def asked_limit(body: Body) -> int | None:
    """Return how many tokens the answer may have, if it says."""
    for name in ("max_completion_tokens", "max_tokens", "max_output_tokens"):
        if body.get(name) is not None:
            return int(body[name])
    return None


def check_context(prompt_tokens: int, context_length: int) -> None:
    """Check that the prompt fits. Raises RequestError."""
    if prompt_tokens > context_length:
        count = context_length + 1
        raise refused(
            f"This model's maximum context length is {context_length} tokens. However, your prompt "
            f"contains at least {count} input tokens, which exceeds this limit even without any "
            "output tokens. Please reduce the length of the input prompt.", "input_tokens", count,
        )  # fmt: skip


def stop_strings(value: object) -> tuple[str, ...]:
    """Return ``stop`` as a tuple."""
    if isinstance(value, str):
        return (value,)
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


__all__ = [
    "Body", "InvalidBodyError", "UnparsableBodyError", "asked_limit", "check_context",
    "check_model", "check_sampling", "check_types", "read_body", "stop_strings",
]  # fmt: skip
