"""What never reaches a log: secrets by the name of their field, and what people wrote or said."""

import re
import traceback
from collections.abc import Mapping, MutableMapping, Sequence, Set
from datetime import date, timedelta
from enum import Enum
from pathlib import PurePath
from typing import Any

from pydantic import ValidationError

HIDDEN = "[hidden]"

_NAMES = frozenset(
    {
        # Secrets.
        "api_key",
        "apikey",
        "authorization",
        "cookie",
        "credentials",
        "nkey",
        "password",
        "passwd",
        "private_key",
        "secret",
        "seed",
        "set_cookie",
        "signature",
        "token",
        # What people wrote or said, and what a model answered.
        "answer",
        "arguments",
        "audio",
        "body",
        "choices",
        "completion",
        "content",
        "delta",
        "documents",
        "headers",
        "input",
        "instructions",
        "messages",
        "output",
        "payload",
        "prompt",
        "query",
        "reasoning",
        "rehydrated",
        "scrubbed",
        "stdin",
        "text",
        "tool_calls",
        "transcript",
        "utterance",
    }
)
_SUFFIX = re.compile(
    r"_(token|password|secret|seed|api_?key|private_key|authorization|cookie|prompt|messages"
    r"|content|text|transcript|input|body|payload|headers)\Z"
)
_IN_URL = re.compile(r"(?<=://)[^/\s@]+@")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_SEED = re.compile(r"\bS[UANCOX][A-Z2-7]{50,}\b")
_IN_QUERY = re.compile(r"(?i)([?&](?:token|key|api_key|password|secret|sig)=)[^&\s]+")
_HUB_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{16,}\b")
_API_KEY = re.compile(r"\bsk-[A-Za-z0-9_-]{16,}")
_NGC_KEY = re.compile(r"\bnvapi-[A-Za-z0-9_-]{8,}|(?<![A-Za-z0-9])[A-Za-z0-9]{86}==")
"""Both forms that NVIDIA's keys have had."""
_SECRET_FLAG = re.compile(r"(?i)(--(?:api-key|hf-token|token|password)(?:=|\s+))\S+")
_NOT_OF_THE_MODEL = "".join(
    f"(?<!{kind}_)"
    for kind in ("bos", "eos", "pad", "unk", "sep", "cls", "mask", "stop", "image", "video")
)
_ASSIGNED = re.compile(
    rf"(?i){_NOT_OF_THE_MODEL}((?:api[_-]?key|password|passwd|secret|token)[\"']?\s{{0,4}}[=:]\s{{0,4}})"
    r"(?!None\b|\[None|null\b)(\[[^\]]*\]|\"[^\"]*\"|'[^']*'|[^\s,;)}\]]+)"
)
_MAX_TEXT = 2000
_MAX_DEPTH = 6
_MAX_ITEMS = 50


def hides(name: str) -> bool:
    """Say whether a field of this name is never written to a log."""
    plain = name.lower().replace("-", "_")
    return plain in _NAMES or _SUFFIX.search(plain) is not None


def redact(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Structlog processor: mask by field name at any depth, and credentials inside texts.

    Objects are reduced to their class name, because a ``repr`` shows every field; an exception
    keeps its type, frames and message, and loses the message where that quotes its input.
    """
    failure = event.pop("exc_info", None)
    shown: MutableMapping[str, Any] = {
        name: HIDDEN if hides(name) else _shown(value, 0) for name, value in event.items()
    }
    if isinstance(failure, tuple):
        failure = failure[1]
    if isinstance(failure, BaseException):
        shown["exception"] = describe(failure)
    return shown


def describe(failure: BaseException) -> str:
    """Return an exception with its frames and causes as text that is fit for a log."""
    parts: list[str] = []
    current: BaseException | None = failure
    while current is not None and len(parts) < _MAX_DEPTH:
        frames = "".join(traceback.format_tb(current.__traceback__))
        parts.append(f"{frames}{type(current).__name__}: {_message(current)}")
        if isinstance(current, BaseExceptionGroup):
            parts.extend(describe(inner) for inner in current.exceptions[:_MAX_DEPTH])
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )
    return "\n\ncaused by\n".join(parts)


def _message(failure: BaseException) -> str:
    if isinstance(failure, ValidationError):
        places = [".".join(str(part) for part in found["loc"]) for found in failure.errors()]
        return f"{failure.error_count()} invalid: {', '.join(places)[:200]}"
    return _clean(str(failure))


def _shown(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum):
        return _shown(value.value, depth)
    if isinstance(value, str):
        return _clean(value)
    if depth >= _MAX_DEPTH:
        return f"<{type(value).__name__}>"
    if isinstance(value, Mapping):
        pairs = list(value.items())[:_MAX_ITEMS]
        return {str(k): HIDDEN if hides(str(k)) else _shown(v, depth + 1) for k, v in pairs}
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, Sequence | Set):
        return [_shown(item, depth + 1) for item in list(value)[:_MAX_ITEMS]]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {_message(value)}"
    return f"<{type(value).__name__}>"


def mask_secrets(text: str) -> str:
    """Return a line of foreign text, as a program printed it, without what looks like a secret.

    Beside credentials in addresses and headers these are tokens of the model hub and values that
    follow a name like ``API_KEY``, ``--api-key`` or ``'password'``.
    """
    text = _HUB_TOKEN.sub("***", _masked(text))
    text = _SECRET_FLAG.sub(r"\1***", text)
    return _ASSIGNED.sub(r"\1***", text)


def _clean(text: str) -> str:
    text = _masked(text)
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}... ({len(text)} characters)"


def _masked(text: str) -> str:
    text = _IN_URL.sub("***@", text)
    text = _BEARER.sub(r"\1 ***", text)
    text = _NGC_KEY.sub("***", _API_KEY.sub("***", _SEED.sub("***", text)))
    return _IN_QUERY.sub(r"\1***", text)
