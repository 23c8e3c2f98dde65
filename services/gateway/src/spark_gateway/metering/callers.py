"""Who asked, as far as a request says so itself: ids, never a name or an address of mail. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from spark_gateway.dataplane.ports import Field

_USER: Final = b"x-openwebui-user-id"
_CLIENT: Final = b"user-agent"
_LENGTHS: Final = frozenset((len(_USER), len(_CLIENT)))
"""Most fields are told apart by this alone."""
_LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class Asker:
    """What the head of a request says of who sent it."""

    user: str = ""
    client: str = ""
    """What the client calls itself, shortened."""


def asker_of(fields: Sequence[Field]) -> Asker:
    """Return who asked; the first field of each name counts."""
    user = client = b""
    for name, value in fields:
        if len(name) not in _LENGTHS:
            continue
        lowered = name.lower()
        if lowered == _CLIENT:
            client = client or value
        elif lowered == _USER:
            user = user or value
    return Asker(plain(user), often(client))


@lru_cache(256)
def often(raw: bytes, longest: int = _LONGEST) -> str:
    """Return the same as ``plain`` for what many requests have in common."""
    return plain(raw, longest)


def plain(raw: bytes, longest: int = _LONGEST) -> str:
    """Return bytes of a head as text that is safe to show: printable, and not too long."""
    text = raw.decode("utf-8", "replace").strip()
    if len(text) <= longest and text.isprintable():
        return text
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[: longest + 1])
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"
