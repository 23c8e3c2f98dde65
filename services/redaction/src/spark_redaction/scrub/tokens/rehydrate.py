"""Puts values back where their placeholders stand, bent ones too, and never guesses."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from spark_redaction.scrub.escapes import unescaped_view
from spark_redaction.scrub.tokens.book import Book, Entry
from spark_redaction.scrub.tokens.grammar import (
    FOREIGN,
    Token,
    Tolerance,
    bent_tokens,
    exact_tokens,
)
from spark_redaction.scrub.urls import Urls
from spark_redaction.scrub.view import View, folded_view


class Edit(NamedTuple):
    """A range of the text and what belongs there."""

    start: int
    end: int
    entry: Entry
    token: Token


@dataclass
class Report:
    """What was done, for a caller who wants to audit it; placeholders only, never values."""

    restored: Counter[str] = field(default_factory=Counter)
    normalised: list[dict[str, str]] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        """Take another part's report in."""
        self.restored.update(other.restored)
        self.normalised += other.normalised
        self.unresolved += [name for name in other.unresolved if name not in self.unresolved]
        self.blocked += [name for name in other.blocked if name not in self.blocked]


class Rehydrator:
    """Rehydrates texts of one scope."""

    def __init__(
        self, book: Book, tolerance: Tolerance = "standard", *, expand_in_urls: bool = False
    ) -> None:
        self.book = book
        self.tolerance: Tolerance = tolerance
        self._in_urls = expand_in_urls

    def text(self, text: str) -> tuple[str, Report]:
        """Rehydrate plain text in one pass; what is put in is not looked at again."""
        report = Report()
        pieces: list[str] = []
        after = 0
        for edit in self.edits(text, report):
            pieces += (text[after : edit.start], edit.entry.plain)
            after = edit.end
        pieces.append(text[after:])
        return "".join(pieces), report

    def edits(self, text: str, report: Report) -> list[Edit]:
        """Return what to replace, from left to right, and report it."""
        urls = None if self._in_urls else Urls(text)
        edits = []
        for token in self._tokens(text, report):
            found = text[token.start : token.end]
            entry = self._meant(token, found)
            if entry is None:
                _note(report.unresolved, found)
            elif urls is not None and urls.around(token.start, token.end):
                _note(report.blocked, found)
            else:
                report.restored[token.canonical] += 1
                if not token.exact:
                    report.normalised.append({"found": found, "as": token.canonical})
                if token.tail:
                    entry = replace(entry, surface=entry.plain + token.tail, form="text")
                edits.append(Edit(token.start, token.end, entry, token))
        return edits

    def _meant(self, token: Token, found: str) -> Entry | None:
        """What a placeholder stands for, None when that would be a guess.

        A small or circled digit is a footnote as likely as a part of the number, and a letter
        that nobody gave out is the end of a word where no bracket holds it.
        """
        if not token.exact and any(unicodedata.category(sign) == "No" for sign in found):
            return None
        entry = self.book.resolve(token.kind, token.number, token.variant)
        if entry is not None and entry.variant != token.variant and found[0].isalnum():
            return None
        return entry

    def _tokens(self, text: str, report: Report) -> Iterable[Token]:
        exact = list(exact_tokens(text))
        ours = {token.start for token in exact}
        if "[[" in text:
            for match in FOREIGN.finditer(text):
                if match.start() not in ours:
                    _note(report.unresolved, match[0])
        if self.tolerance == "exact":
            return exact
        bent: list[Token] = []
        for view in views(text):
            bent += bent_tokens(view, self.tolerance, ours)
        return _without_overlaps(exact, bent) if bent else exact


def views(text: str) -> list[View]:
    """The text folded, and unescaped where it has escapes."""
    second = unescaped_view(text)
    first = folded_view(text)
    return [first] if second is None else [first, second]


def _without_overlaps(exact: list[Token], bent: list[Token]) -> list[Token]:
    """Exact ones stand; of others that overlap, the longer one does."""
    taken = list(exact)
    ends = sorted((token.start, token.end) for token in exact)
    chosen: list[Token] = []
    at = 0
    for token in sorted(bent, key=lambda each: (each.start, -each.end)):
        while at < len(ends) and ends[at][1] <= token.start:
            at += 1
        if at < len(ends) and ends[at][0] < token.end:
            continue
        if chosen and token.start < chosen[-1].end:
            continue
        chosen.append(token)
    return sorted(taken + chosen)


def _note(names: list[str], name: str) -> None:
    if name not in names and len(names) < 1000:
        names.append(name)
