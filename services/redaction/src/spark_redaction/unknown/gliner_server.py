"""Asks a GLiNER server on a Spark: ``cluster/spark-gliner``, or another with its route."""

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import httpx

from spark_redaction.unknown.bounded_http import BoundedHttp
from spark_redaction.unknown.ports import NoAnswerError, Said

THRESHOLD: Final = 0.3
"""Low, so that less is missed: what it says is only ever added."""
_LABELS: Final[Mapping[str, tuple[str, ...]]] = {
    "PERSON": ("person", "first_name", "last_name"),
    "ORG": ("organization", "company_name"),
    "ADDRESS": ("street_address",),
    "HANDLE": ("user_name",),
    "PLACE": ("city", "county", "state", "country"),
}
"""What GLiNER is asked for, by the type of placeholder."""
_KIND_OF: Final = {label: kind for kind, labels in _LABELS.items() for label in labels}
_UNREADABLE: Final = "GLiNER's answer is no list of entities"


class GlinerServer:
    """A ``Reader``. ``url``: the base address just now, None when there is none to ask."""

    def __init__(self, url: Callable[[], str | None], client: httpx.AsyncClient) -> None:
        """See ``BoundedHttp`` for the client."""
        self._url = url
        self._http = BoundedHttp("GLiNER", client)

    async def model(self) -> str | None:
        """Return the model that is loaded there; see ``Reader``."""
        url = self._url()
        return None if url is None else await self._http.served(url)

    async def read(self, model: str, piece: str, kinds: Sequence[str]) -> list[Said]:
        """Ask once. Its offsets are not looked at: strings are found again letter by letter."""
        url = self._url()
        if url is None:
            raise NoAnswerError("nobody may be asked for names")
        labels = [label for kind in kinds for label in _LABELS.get(kind, ())]
        body = {"text": piece, "labels": labels, "threshold": THRESHOLD}
        status, raw = await self._http.post(f"{url}/v1/extract", body)
        if status != 200:
            raise NoAnswerError(f"GLiNER does not read this (status {status})")
        return _said(raw, piece)


def _said(raw: bytes, piece: str) -> list[Said]:
    """Return what an answer says; entries of another shape or label are left out."""
    try:
        entities = json.loads(raw)["entities"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise NoAnswerError(_UNREADABLE) from None
    if not isinstance(entities, list):
        raise NoAnswerError(_UNREADABLE)
    found = [entry for entry in map(_entry, entities) if entry is not None]
    return [*_full_names(found, piece), *(Said(_KIND_OF[label], text) for label, text in found)]


def _entry(entity: Any) -> tuple[str, str] | None:
    if not isinstance(entity, dict):
        return None
    label, text = entity.get("suggested_label"), entity.get("value")
    if not isinstance(label, str) or not isinstance(text, str) or label not in _KIND_OF:
        return None
    return label, text


def _full_names(found: Sequence[tuple[str, str]], piece: str) -> list[Said]:
    """Join first names with the last names behind them: one person has one placeholder."""
    return [
        Said("PERSON", joined)
        for (first, given), (last, family) in pairwise(found)
        if (first, last) == ("first_name", "last_name") and (joined := f"{given} {family}") in piece
    ]
