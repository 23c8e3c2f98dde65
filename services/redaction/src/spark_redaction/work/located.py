"""Finds strings where they stand letter by letter; time grows with the text, not with them."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from spark_redaction.scrub import Kind
from spark_redaction.scrub.names.unspaced import UNSPACED
from spark_redaction.scrub.spans import Span

RANK: Final = 40
"""Below every recogniser and every known name: who is known stays who they are."""
_WORD: Final = re.compile(r"[^\W_]+")


class Located:
    """Spans of given strings in any text, whole words only where words have an end."""

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        """``names``: kind and string."""
        self._by_word: dict[str, list[tuple[str, Kind]]] = {}
        self._anywhere: list[tuple[str, Kind]] = []
        for kind, name in names:
            first = _WORD.match(name)
            if first is None or UNSPACED.search(name):
                self._anywhere.append((name, Kind(kind)))
            else:
                self._by_word.setdefault(first[0], []).append((name, Kind(kind)))
        for those in self._by_word.values():
            those.sort(key=lambda each: -len(each[0]))

    def __call__(self, text: str) -> Iterator[Span]:
        """Find all of them; of two that begin at one word the longer one."""
        if self._by_word:
            for word in _WORD.finditer(text):
                for name, kind in self._by_word.get(word[0], ()):
                    end = word.start() + len(name)
                    if text.startswith(name, word.start()) and _ends(text, end):
                        yield Span(word.start(), end, kind, "", RANK)
                        break
        for name, kind in self._anywhere:
            at = text.find(name)
            while at != -1:
                end = at + len(name)
                if UNSPACED.match(text[end - 1]) or _ends(text, end):
                    yield Span(at, end, kind, "", RANK)
                at = text.find(name, end)


def _ends(text: str, end: int) -> bool:
    return not (text[end - 1].isalnum() and text[end : end + 1].isalnum())
