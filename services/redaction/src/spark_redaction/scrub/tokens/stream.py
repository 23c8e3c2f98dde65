"""Rehydrates a stream: every way of cutting it gives what the whole would have given."""

import re
from typing import Final

from spark_redaction.scrub.escapes import unescaped_view
from spark_redaction.scrub.folding import folded
from spark_redaction.scrub.kinds import NAMES
from spark_redaction.scrub.tokens.grammar import LONGEST
from spark_redaction.scrub.tokens.rehydrate import Rehydrator, Report
from spark_redaction.scrub.urls import Urls

_WINDOW: Final = LONGEST
_CONTEXT: Final = 96
_URL_CONTEXT: Final = 4096


def _prefixes(name: str) -> str:
    pattern = ""
    for letter in reversed(name.lower()):
        pattern = f"{letter}(?:{pattern})?" if pattern else letter
    return pattern


_TYPES: Final = "|".join(sorted((name.lower() for name in NAMES), key=len, reverse=True))
_OPENS: Final = r"(?:[\[{<(]\\?\s?){0,3}\\?\s?"
_BEGINS: Final = re.compile(
    rf"{_OPENS}(?:(?:{'|'.join(_prefixes(name) for name in NAMES)})?"
    rf"|(?:{_TYPES})[_\-:#.~ \t\r\n\\]{{0,4}}"
    rf"|(?:{_TYPES})[_\-:#.~ \t\r\n\\]{{0,4}}[0-9]{{1,9}}[a-z]{{0,4}}_{{0,2}}(?:'s?)?"
    r"(?:\s?\\?(?:/>|[\]}>)])){0,3}\s?\\?/?)"
)
_PARTIAL: Final = re.compile(
    r"(?:(?:%[0-9a-f]{2})*%[0-9a-f]?|&\#?x?[0-9a-z]{0,7}|\\u\{?[0-9a-f]{0,4}|\\x[0-9a-f]?|\\|=[0-9a-f]?|=\r)\Z",
    re.IGNORECASE,
)
_STARTERS: Final = frozenset("[{<(\\%&=" + "".join(sorted({name[0].lower() for name in NAMES})))


class StreamRehydrator:
    """Feed it pieces, emit what it returns, close it at the end.

    With ``json_strings`` the stream is the source of a JSON document, such as the arguments of a
    tool call, and values are escaped as they go in.
    """

    def __init__(self, rehydrator: Rehydrator, *, json_strings: bool = False) -> None:
        self._rehydrator = rehydrator
        self._json = json_strings
        self._text = ""
        self._done = 0
        self.report = Report()

    def feed(self, piece: str) -> str:
        """Return what can be said now."""
        self._text += piece
        return self._said(self._safe())

    def close(self) -> str:
        """Return the rest, as it is."""
        return self._said(len(self._text))

    def _safe(self) -> int:
        """Where the longest end begins that may still become a placeholder."""
        text = self._text
        first = max(self._done, len(text) - _WINDOW)
        for at in range(first, len(text)):
            if (folded(text[at]) or "[")[:1] in _STARTERS and _may_begin(text[at:]):
                return at
        return len(text)

    def _said(self, safe: int) -> str:
        text, after = self._text, self._done
        pieces: list[str] = []
        seen = Report()
        for edit in self._rehydrator.edits(text, seen):
            if edit.start < self._done:
                continue
            if edit.end > safe:
                safe = min(safe, edit.start)
                break
            found = text[edit.start : edit.end]
            value = edit.entry.json_source if self._json else edit.entry.plain
            pieces += (text[after : edit.start], value)
            after = edit.end
            self.report.restored[edit.token.canonical] += 1
            if not edit.token.exact:
                self.report.normalised.append({"found": found, "as": edit.token.canonical})
        seen.restored.clear()
        seen.normalised.clear()
        self.report.add(seen)
        pieces.append(text[after:safe])
        self._keep(safe)
        return "".join(pieces)

    def _keep(self, safe: int) -> None:
        """What was said stays in sight: an address that began long ago may go on."""
        start = max(0, safe - _CONTEXT)
        around = Urls(self._text).around(safe - 1, safe) if safe else None
        if around is not None:
            start = min(start, around[0])
        kept = self._text[start:]
        done = safe - start
        if around is not None and done > _URL_CONTEXT:
            kept = "https://" + kept[done - _CONTEXT :]
            done = len("https://") + _CONTEXT
        self._text, self._done = kept, done


def _may_begin(tail: str) -> bool:
    second = unescaped_view(tail)
    return _begins(tail) or (second is not None and _begins(second.text))


def _begins(tail: str) -> bool:
    """Whether it is the beginning of a placeholder, and perhaps of an escape behind it."""
    partial = _PARTIAL.search(tail)
    if partial is not None and _matches(tail[: partial.start()]):
        return True
    return _matches(tail)


def _matches(tail: str) -> bool:
    if _BEGINS.fullmatch(folded(tail)):
        return True
    second = unescaped_view(tail)
    return second is not None and _BEGINS.fullmatch(second.lower) is not None
