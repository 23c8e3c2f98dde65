"""Finds everything to hide in a text: recognisers, known names, decoded text, look-alikes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from spark_redaction.scrub.encoded import hidden_in
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.names.dictionary import Dictionary
from spark_redaction.scrub.profile import Profile
from spark_redaction.scrub.readings.otherwise import otherwise
from spark_redaction.scrub.recogniser import Recogniser
from spark_redaction.scrub.registry import RECOGNISERS
from spark_redaction.scrub.spans import Span, united
from spark_redaction.scrub.spoken.spelled import spelled_names
from spark_redaction.scrub.tokens.grammar import bent_tokens
from spark_redaction.scrub.tokens.rehydrate import views
from spark_redaction.scrub.urls import Urls
from spark_redaction.scrub.view import View

NOBODY: Final = Dictionary(())
_LITERAL: Final = 5
_SPELLED: Final = 60
_ENCODED: Final = 85
_NEVER_KEPT: Final = 80
"""Rank from which "keep" does not help: nobody means to keep a key."""


@dataclass(frozen=True)
class Detector:
    """What is looked for; immutable, to be used for any number of texts."""

    dictionaries: Sequence[Dictionary] = (NOBODY,)
    profile: Profile = "transcript"
    keep: Dictionary = NOBODY
    recognisers: Sequence[Recogniser] = RECOGNISERS
    more: Callable[[str], Iterable[Span]] | None = field(default=None, repr=False)
    """An additional pass over the raw text, such as a model's; it only ever adds."""

    def spans(self, text: str) -> list[Span]:
        """Return what to hide, from left to right, without overlaps."""
        return united(_whole_urls(text, united(self.all(text))))

    def all(self, text: str) -> list[Span]:
        """Everything personal and every look-alike, overlapping as it was found."""
        seen = views(text)
        return self._personal(text, seen) + _lookalikes(text, seen)

    def _personal(self, text: str, seen: list[View]) -> list[Span]:
        found: list[Span] = []
        for view in seen:
            found += self._in_view(view)
        found += otherwise(text, seen[0], self._in_view, self._begins, found)
        for start, end in hidden_in(seen[0], self._ranges):
            found.append(Span(*seen[0].raw(start, end), Kind.SECRET, "", _ENCODED))
        if self.more is not None:
            found += self.more(text)
        return self._without_kept(seen, found) if len(self.keep) else found

    def _in_view(self, view: View) -> list[Span]:
        found: list[Span] = []
        strict = self.profile == "strict"
        for recogniser in self.recognisers:
            if strict or not recogniser.strict_only:
                found += recogniser.spans(view)
        for dictionary in self.dictionaries:
            if len(dictionary):
                found += dictionary.spans(view)
                for start, end, kind, key in spelled_names(view, dictionary):
                    found.append(Span(*view.raw(start, end), kind, key, _SPELLED))
        return found

    def _ranges(self, text: str) -> list[tuple[int, int]]:
        return [(span.start, span.end) for view in views(text) for span in self._in_view(view)]

    @property
    def _begins(self) -> Callable[[set[str]], bool] | None:
        """Whether one of some words begins a known name; None when there are no names."""
        named = [each for each in self.dictionaries if len(each)]
        return (lambda words: any(each.begins(words) for each in named)) if named else None

    def _without_kept(self, seen: list[View], found: list[Span]) -> list[Span]:
        kept = [span for view in seen for span in self.keep.spans(view)]
        return [
            span
            for span in found
            if span.rank >= _NEVER_KEPT
            or not any(each.start <= span.start and span.end <= each.end for each in kept)
        ]


def _lookalikes(text: str, seen: list[View]) -> list[Span]:
    """What would be taken for a placeholder on the way back."""
    return [
        Span(token.start, token.end, Kind.LITERAL, text[token.start : token.end], _LITERAL)
        for view in seen
        for token in bent_tokens(view, "standard")
    ]


def _whole_urls(text: str, spans: list[Span]) -> list[Span]:
    """A placeholder inside an address would not come back: hide the address instead."""
    urls = Urls(text)
    result = []
    for span in spans:
        around = urls.around(span.start, span.end)
        if around is None:
            result.append(span)
        else:
            start, end = min(span.start, around[0]), max(span.end, around[1])
            whole = (start, end) == (span.start, span.end)
            kind = span.kind if span.kind in (Kind.SECRET, Kind.CRYPTO) or whole else Kind.LINK
            result.append(Span(start, end, kind, span.key if whole else "", span.rank))
    return result
