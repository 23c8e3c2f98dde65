"""Which key a request shows, and that it shows it in a header field. Pure."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote_to_bytes

from spark_common.key_text import PREFIX

_MARK: Final = PREFIX.encode("ascii")
_BEARER: Final = b"bearer "
_PLAIN: Final = frozenset((b"x-api-key", b"api-key"))
_AUTHORIZATION: Final = b"authorization"
_LENGTHS: Final = frozenset(len(name) for name in (*_PLAIN, _AUTHORIZATION))
"""Most fields are told apart by this alone, which costs less than their names in lower case."""
_LONGEST: Final = 512

RawField = tuple[bytes, bytes]


def key_in(fields: Iterable[RawField]) -> str | None:
    """Return the key that is shown: one of ours before any other, else the first; or None.

    Many clients insist on sending something, some send the same key twice.
    """
    first: str | None = None
    for name, value in fields:
        if len(name) not in _LENGTHS:
            continue
        shown = _shown(name.lower(), value)
        if shown is None:
            continue
        if shown.startswith(PREFIX):
            return shown
        first = first or shown
    return first


def without_keys(fields: list[RawField]) -> list[RawField]:
    """Return the fields without those that hold a key of ours: no upstream has to know it."""
    return [field for field in fields if _MARK not in field[1]]


def in_query(target: bytes) -> bool:
    """Say whether an address holds a key of ours: addresses are kept in logs and histories."""
    _, mark, query = target.partition(b"?")
    return bool(mark) and (_MARK in query or (b"%" in query and _MARK in unquote_to_bytes(query)))


def _shown(name: bytes, value: bytes) -> str | None:
    if name == _AUTHORIZATION:
        if value[: len(_BEARER)].lower() != _BEARER:
            return None
        value = value[len(_BEARER) :]
    elif name not in _PLAIN:
        return None
    return value.strip()[:_LONGEST].decode("latin-1") or None
