"""Identifiers: sortable by time, safe in a subject, a path and a shell word."""

import re

from ulid import ULID

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")


def new_id() -> str:
    """Return a fresh lower-case ULID: 26 characters, ordered by creation time."""
    return str(ULID()).lower()


def is_id(text: str) -> bool:
    """Say whether ``text`` may stand as one NATS subject token, Redis key part and file name."""
    return _ID.match(text) is not None
