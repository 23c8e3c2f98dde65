"""What a receiver gets: one JSON document per event, the same bytes at every try."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue

from spark_common.envelope import Envelope
from spark_coordinator.webhooks.texts import Words, words_of
from spark_coordinator.webhooks.topics import short_type

MAX_BYTES = 16 * 1024
"""A longer event is shortened, and says so: Redis keeps bodies until they are delivered."""

_TEXT_KEPT = 500
_ITEMS_KEPT = 20


def delivery_id(event_id: str, target: str) -> str:
    """Return the id of one event on its way to one target: constant, without dots or blanks."""
    return "dlv_" + hashlib.sha256(f"{target}\0{event_id}".encode()).hexdigest()[:32]


def body_of(envelope: Envelope) -> str:
    """Return the document of an event."""
    kind = short_type(envelope)
    words = words_of(kind, envelope.data)
    document = _document(kind, envelope.id, envelope.time, words) | {"data": envelope.data}
    text = _text(document)
    if len(text.encode()) <= MAX_BYTES:
        return text
    # Its words as well: they repeat the longest of its texts.
    cut = {key: _shortened(value) for key, value in document.items()} | {"truncated": True}
    short = _text(cut)
    return short if len(short.encode()) <= MAX_BYTES else _text(cut | {"data": {}})


def _shortened(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return value[:_TEXT_KEPT]
        case list():
            return [_shortened(item) for item in value[:_ITEMS_KEPT]]
        case dict():
            return {key: _shortened(item) for key, item in value.items()}
        case _:
            return value


def test_body(event_id: str, at: datetime) -> str:
    """Return the document of the test button."""
    kind = "webhook.test"
    return _text(_document(kind, event_id, at, words_of(kind, {})) | {"data": {}})


def _document(kind: str, event_id: str, at: datetime, words: Words) -> dict[str, JsonValue]:
    return {
        "type": kind,
        # The earlier system's name of the same event.
        "event": kind.replace(".", "_"),
        "event_id": event_id,
        "timestamp": at.isoformat().replace("+00:00", "Z"),
        "title": words.title,
        "message": words.text,
    }


def _text(document: Mapping[str, JsonValue]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
