"""Where names stood in pieces that were read lately. Holds no text: a keyed hash, and places."""

import hashlib
import secrets
from collections import OrderedDict
from typing import Final, NamedTuple

from spark_common.clock import Clock
from spark_redaction.unknown.ports import Name

_MOST: Final = 2_048
_KEPT_SECONDS: Final = 900.0


class _Place(NamedTuple):
    kind: str
    start: int
    end: int


class Memory:
    """Of this process alone; one tenant cannot tell what another one asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, tuple[float, tuple[_Place, ...]]] = OrderedDict()

    def recall(self, question: tuple[str, ...], piece: str) -> list[Name] | None:
        """Return the names of a piece; ``question``: the tenant, and all that makes an answer."""
        at, places = self._known.get(self._digest(question, piece), (0.0, None))
        if places is None or at + _KEPT_SECONDS < self._clock.monotonic():
            return None
        return [Name(kind, piece[start:end]) for kind, start, end in places]

    def keep(self, question: tuple[str, ...], piece: str, names: list[Name]) -> None:
        """Remember where the names stand in the piece."""
        places = []
        for kind, text in names:
            start = piece.index(text)
            places.append(_Place(kind, start, start + len(text)))
        digest = self._digest(question, piece)
        self._known[digest] = (self._clock.monotonic(), tuple(places))
        self._known.move_to_end(digest)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)

    def _digest(self, question: tuple[str, ...], piece: str) -> bytes:
        text = "\0".join((*question, piece)).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._key, digest_size=32).digest()
