"""Reads a body no further than its limit, and checks it without ever repeating it."""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from spark_common.errors import InvalidRequestError, TooLargeError
from spark_redaction.desk.questions import (
    EntitySetQuestion,
    EraseQuestion,
    KnownEntity,
    RehydrateQuestion,
    ScrubQuestion,
    VerifyQuestion,
)

ModelT = TypeVar("ModelT", bound=BaseModel)


class UnprocessableError(InvalidRequestError):
    """A field is wrong; ``details['errors']`` says which and how, never with what in it."""


async def body_of(request: Request, most: int) -> bytes:
    """Return the body; TooLargeError as soon as it is longer."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise TooLargeError(f"the body is longer than {most} bytes")
    chunks: list[bytes] = []
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > most:
            raise TooLargeError(f"the body is longer than {most} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def parsed(body: bytes, model: type[ModelT]) -> ModelT:
    """Return the checked request; InvalidRequestError or UnprocessableError."""
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidRequestError("the body is not JSON") from None
    return checked(value, model)


def checked(value: object, model: type[ModelT]) -> ModelT:
    """Return a parsed body checked; UnprocessableError."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        errors = [
            {"loc": [_place(part) for part in each["loc"]], "type": each["type"]}
            for each in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise UnprocessableError("some fields are wrong", errors=errors[:50]) from None  # type: ignore[arg-type]
    except RecursionError:
        raise InvalidRequestError("nested too deep") from None


def _place(part: int | str) -> int | str:
    """A name of a field of ours, or a number; a caller's own key may be a value."""
    if isinstance(part, int):
        return part
    return part if part in _FIELDS else "?"


_FIELDS = frozenset(
    name
    for model in (
        ScrubQuestion,
        RehydrateQuestion,
        VerifyQuestion,
        EraseQuestion,
        EntitySetQuestion,
        KnownEntity,
    )
    for declared, field in model.model_fields.items()
    for name in (declared, field.alias or declared)
)
