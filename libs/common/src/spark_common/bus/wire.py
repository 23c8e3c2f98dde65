"""How messages look on the bus: envelopes, requests and replies as bytes, and back."""

import json
from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, JsonValue, SecretBytes, SecretStr, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from spark_common.contracts.rpc import Request
from spark_common.envelope import Envelope
from spark_common.errors import ErrorBody, SparkError, error_from
from spark_common.events import Command, Message

MESSAGE_ID = "Nats-Msg-Id"
CORRELATION_ID = "Spark-Correlation-Id"
ERROR_CODE = "Nats-Service-Error-Code"
ERROR_TEXT = "Nats-Service-Error"


def seal(
    message: Message,
    *,
    source: str,
    id: str,
    at: datetime,
    correlation_id: str | None,
    causation_id: str | None,
) -> bytes:
    """Put a message in its envelope."""
    envelope = Envelope(
        id=id,
        source=source,
        type=message.type_name(),
        time=at,
        correlationid=correlation_id,
        causationid=causation_id,
        data=_plain(message),
    )
    return envelope.model_dump_json(exclude_none=True).encode()


def unseal(payload: bytes) -> Envelope | None:
    """Return the envelope, or None when the payload is bare or not JSON."""
    try:
        return Envelope.model_validate_json(payload)
    except ValidationError:
        return None


def write(model: BaseModel) -> bytes:
    """Write a request or a reply; raises UnicodeEncodeError for half a pair of surrogates."""
    # Letters as they are: escaped they take up to three times the room a message may have.
    if not _reveals(model):
        with suppress(PydanticSerializationError):
            return model.model_dump_json().encode()
    return json.dumps(_plain(model), separators=(",", ":"), ensure_ascii=False).encode()


def write_error(body: ErrorBody) -> bytes:
    """Write an error reply: ``{"error": {...}}``."""
    return json.dumps({"error": body.model_dump(mode="json")}, separators=(",", ":")).encode()


def read_error(payload: bytes) -> SparkError:
    """Rebuild the error of an error reply; what cannot be read becomes ``internal``."""
    try:
        return error_from(ErrorBody.model_validate(json.loads(payload)["error"]))
    except (ValueError, KeyError, TypeError):
        return SparkError("the service answered with an error nobody can read")


def _reveals(model: BaseModel) -> bool:
    # Only what asks for something carries secrets in clear: the receiver compares a lock token.
    # Told things and answers keep pydantic's asterisks.
    return isinstance(model, Command | Request) and may_hold_secrets(type(model))


def _plain(model: BaseModel) -> dict[str, JsonValue]:
    if not _reveals(model):
        return model.model_dump(mode="json")
    plain: dict[str, JsonValue] = to_jsonable_python(_reveal(model.model_dump()))
    return plain


@cache
def may_hold_secrets(kind: type[BaseModel]) -> bool:
    """Say whether a field of a model, or of one in it, is a secret or could be anything."""
    return _secret_in(kind, set())


def _secret_in(kind: Any, seen: set[Any]) -> bool:
    if get_origin(kind) is Literal:
        return False
    inner = list(get_args(kind))
    if get_origin(kind) is Annotated:
        inner = inner[:1]
    if isinstance(kind, type):
        if kind in (object, Any) or issubclass(kind, _SECRETS):
            return True
        if issubclass(kind, BaseModel) and kind not in seen:
            seen.add(kind)
            inner += [field.annotation for field in kind.model_fields.values()]
    elif not inner and kind not in (None, ...):
        # Whatever it is, it may be anything.
        return True
    return any(_secret_in(each, seen) for each in inner)


_AS_THEY_ARE = frozenset((str, int, float, bool, type(None)))
_SECRETS = (SecretStr, SecretBytes)


def _reveal(value: Any) -> Any:
    if type(value) in _AS_THEY_ARE:
        return value
    match value:
        case SecretStr() | SecretBytes():
            return value.get_secret_value()
        case dict():
            return {key: _reveal(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_reveal(item) for item in value]
        case _:
            return value
