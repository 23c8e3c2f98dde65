"""Form fields as clients really send them: plain, in brackets, flattened, repeated, unknown."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

from spark_audio_proxy.problems import SpeechError

_YES: Final = frozenset(("true", "1", "yes", "on"))
_NO: Final = frozenset(("false", "0", "no", "off", ""))
_INDEXED: Final = re.compile(r"(.+?)\[\d*\]\Z")


class Fields:
    """The text fields of a request in order; names may repeat."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = tuple(pairs)

    def one(self, name: str, default: str = "") -> str:
        """Return the last value of a field, stripped; ``default`` where there is none."""
        found = [value for key, value in self._pairs if key == name]
        return found[-1].strip() if found else default

    def many(self, name: str) -> tuple[str, ...]:
        """Return all values of ``name``, ``name[]`` and ``name[0]``, without empty ones."""
        found = []
        for key, value in self._pairs:
            indexed = _INDEXED.match(key)
            if (indexed[1] if indexed else key) == name and value.strip():
                found.append(value.strip())
        return tuple(found)

    def words(self, name: str) -> tuple[str, ...]:
        """The same for lists of words, which some clients send as JSON or with commas."""
        found: list[str] = []
        for value in self.many(name):
            if value.startswith("["):
                try:
                    items = json.loads(value)
                except ValueError:
                    items = [value]
                found += [str(item) for item in items] if isinstance(items, list) else [value]
            else:
                found += [word.strip() for word in value.split(",") if word.strip()]
        return tuple(found)

    def inside(self, name: str) -> Mapping[str, str]:
        """Return an object that arrived flattened: ``name[type]=...`` gives ``{"type": ...}``."""
        start = f"{name}["
        return {
            key[len(start) : -1]: value
            for key, value in self._pairs
            if key.startswith(start) and key.endswith("]") and len(key) > len(start) + 1
        }

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a yes or no; raises SpeechError for anything else."""
        text = self.one(name, "true" if default else "false").lower()
        if text in _YES:
            return True
        if text in _NO:
            return False
        raise SpeechError("invalid_value", f"{name} must be true or false", param=name)

    def number(self, name: str, low: float, high: float) -> float | None:
        """Return a number within bounds, None where none was sent; raises SpeechError."""
        text = self.one(name)
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            raise SpeechError(
                "invalid_value", f"{name} must be a number from {low:g} to {high:g}", param=name
            )
        return number

    def whole(self, name: str, low: int, high: int) -> int | None:
        """The same for a whole number."""
        number = self.number(name, low, high)
        if number is None:
            return None
        if number != int(number):
            raise SpeechError("invalid_value", f"{name} must be a whole number", param=name)
        return int(number)
