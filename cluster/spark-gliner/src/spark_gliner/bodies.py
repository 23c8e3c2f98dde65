"""Reads and checks what clients send."""

import json
import math
from dataclasses import dataclass
from typing import Any

from spark_gliner.refusals import RefusalError
from spark_gliner.settings import Settings

_LONGEST_LABEL = 80


@dataclass(frozen=True, repr=False)
class Question:
    """``POST /v1/extract``."""

    text: str
    labels: tuple[str, ...]
    threshold: float


def read_question(raw: bytes, settings: Settings) -> Question:
    """Return what is asked. Raises RefusalError."""
    try:
        body: Any = json.loads(raw)
    except (ValueError, RecursionError):
        raise RefusalError(400, "The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise RefusalError(400, "The body must be a JSON object.")
    text = body.get("text")
    if not isinstance(text, str):
        raise RefusalError(400, "text must be a text.")
    return Question(_whole(text), _labels(body.get("labels"), settings), _threshold(body, settings))


def _labels(given: Any, settings: Settings) -> tuple[str, ...]:
    if not isinstance(given, list) or not given:
        raise RefusalError(400, "labels must be a list of texts with at least one.")
    if len(given) > settings.gliner_max_labels:
        raise RefusalError(413, f"At most {settings.gliner_max_labels} labels may be given.")
    if not all(isinstance(each, str) and 0 < len(each) <= _LONGEST_LABEL for each in given):
        raise RefusalError(400, f"A label is a text of at most {_LONGEST_LABEL} characters.")
    return tuple(dict.fromkeys(given))


def _threshold(body: dict[str, Any], settings: Settings) -> float:
    given = body.get("threshold")
    if given is None:
        return settings.gliner_threshold
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise RefusalError(400, "threshold must be a number.")
    if not 0 < given < 1:
        raise RefusalError(400, "threshold must lie between 0 and 1.")
    return float(given)


def _whole(text: str) -> str:
    """Return a text of the same length without halves of characters, which no tokenizer reads."""
    return "".join("?" if "\ud800" <= each <= "\udfff" else each for each in text)
