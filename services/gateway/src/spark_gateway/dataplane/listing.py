"""Reads what a server says of itself: the models it serves, and the addresses it answers at."""

import json
from collections.abc import Iterator
from typing import Any

from spark_gateway.served import ServedModel

_LATEST = 10**11
"""Seconds; what is later are no seconds."""


def read_models(content: bytes) -> tuple[ServedModel, ...]:
    """Return the models of a ``GET /v1/models``. Raises ValueError for what is no such answer.

    Of a model only the name is needed: servers differ in what else they say, and how.
    """
    match _json(content):
        case {"data": list(rows)}:
            return tuple({model.id: model for model in _models(rows)}.values())
        case _:
            raise ValueError("there is no list of models in it")


def read_paths(content: bytes) -> frozenset[str] | None:
    """Return the addresses of an ``/openapi.json``; None for what is no such answer."""
    try:
        said = _json(content)
    except ValueError:
        return None
    match said:
        case {"paths": dict(paths)}:
            return frozenset(paths)
        case _:
            return None


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _models(rows: list[Any]) -> Iterator[ServedModel]:
    for row in rows:
        name = _text(row.get("id")) if isinstance(row, dict) else None
        if name is not None:
            yield ServedModel(
                name,
                created=_number(row.get("created"), _LATEST) or 0,
                owned_by=_text(row.get("owned_by")) or "vllm",
                max_model_len=_number(row.get("max_model_len")),
                root=_text(row.get("root")),
                kind=_text(row.get("kind")),
            )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object, most: int = 2**53) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < most else None
