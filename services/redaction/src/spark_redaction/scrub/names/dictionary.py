"""Finds known names in a view by its tokens: time grows with the text, not with the names."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from spark_redaction.scrub.folding import folded
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.names.common import COMMON
from spark_redaction.scrub.names.entity import Entity
from spark_redaction.scrub.names.forms import TOKEN, forms_of
from spark_redaction.scrub.names.misspelled import Misspelled, nearly
from spark_redaction.scrub.names.prose import reads_as_word
from spark_redaction.scrub.names.unspaced import UNSPACED, unspaced_forms
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.spans import Span
from spark_redaction.scrub.view import View

_WHOLE: Final = 74
_PART: Final = 48
_FOLLOWING: Final = re.compile(r"[\s_]{1,8}(?=[^\W_])|,\s{1,8}|[^\w]{0,4}_?[^\w]{0,2}")
"""What may stand between two words of a name."""
_LONGEST: Final = 80
_WORD_BEFORE: Final = re.compile(r"(?<![^\W_])([A-Z][^\W\d_]{3,20})[ ,]{1,2}\Z")
_WORD_AFTER: Final = re.compile(r"[ ,]{1,2}([A-Z][^\W\d_]{3,20})(?![^\W_])")
_BROKEN: Final = re.compile(r"([^\W\d_]{2,40})(-?)\r?\n[ \t>|]{0,12}([^\W\d_]{2,40})")
_CAMEL: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")
_HUMP: Final = Pattern(rb"[a-z][A-Z]|[A-Za-z][0-9]|[0-9][A-Za-z]|[A-Z]{2}[a-z]", any_case=False)
_FEW: Final = 64
"""Words of a text that are looked up one by one rather than word for word."""
_LEET: Final = tuple(str.maketrans("431057", read) for read in ("aeiost", "aelost"))
_INITIALS_BEFORE: Final = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z]\.?[ -]?){1,3}\Z")
_INITIALS_AFTER: Final = re.compile(r"(?: [A-Z]\.){1,2}|,? [A-Z]\.?(?![A-Za-z0-9'’])")
_INITIAL_BETWEEN: Final = re.compile(r"[ \t]{0,3}(?:[A-Z]\.?[\s]{1,2}){0,3}\Z")


class _Entry(NamedTuple):
    tail: tuple[str, ...]
    kind: Kind
    key: str
    part: bool


class _Hit(NamedTuple):
    start: int
    end: int
    kind: Kind
    key: str
    part: bool


class Dictionary:
    """An immutable set of known entities, ready to search.

    A part that several entities share is found as itself and attributed to none of them.
    """

    def __init__(self, entities: Iterable[Entity]) -> None:
        self.size = 0
        self._singles: dict[str, _Entry] = {}
        self._phrases: dict[str, list[_Entry]] = {}
        self._unspaced: dict[str, list[tuple[str, _Entry]]] = {}
        self._misspelled = Misspelled()
        self._parts: dict[str, set[str]] = {}
        for entity in entities:
            self.size += 1
            for name in (entity.value, *entity.aliases):
                self._add(entity, name)
        for entries in self._phrases.values():
            entries.sort(key=lambda entry: -len(entry.tail))
        for found in self._unspaced.values():
            found.sort(key=lambda each: -len(each[0]))

    def __len__(self) -> int:
        """How many entities."""
        return self.size

    def _add(self, entity: Entity, name: str) -> None:
        key = entity.key
        if UNSPACED.search(name):
            for text, part in unspaced_forms(entity.kind, folded(name)):
                entry = _Entry((), entity.kind, key, part)
                self._unspaced.setdefault(text[0], []).append((text, entry))
        for form in forms_of(entity.kind, name):
            entry = _Entry(form.tokens[1:], entity.kind, key, form.part)
            if entry.tail:
                known = self._phrases.setdefault(form.tokens[0], [])
                for at, other in enumerate(known):
                    if other.tail == entry.tail:
                        known[at] = _agreed(other, entry, form.tokens)
                        break
                else:
                    known.append(entry)
            else:
                single = form.tokens[0]
                if entity.kind is Kind.PERSON and form.part:
                    self._misspelled.add(single)
                    self._parts.setdefault(key, set()).add(single)
                other_entry = self._singles.get(single)
                self._singles[single] = (
                    entry if other_entry is None else _agreed(other_entry, entry, form.tokens)
                )

    def spans(self, view: View) -> Iterator[Span]:
        """Find in a view, in ranges of the raw text."""
        if not self.size:
            return
        for hit in self._joined(view, self._hits(view)):
            start, end = view.raw(hit.start, hit.end)
            yield Span(start, end, hit.kind, hit.key, _PART if hit.part else _WHOLE)

    def knows(self, word: str) -> tuple[Kind, str] | None:
        """Kind and key of a single token, for words that were spelled out."""
        entry = self._singles.get(word) or (self._plural(word) if word[-1:] == "s" else None)
        return None if entry is None else (entry.kind, entry.key)

    def begins(self, words: set[str]) -> bool:
        """Whether one of the words is a whole name, or the first of one."""
        return not (
            words.isdisjoint(self._phrases)
            and all(self._singles[word].part for word in words & self._singles.keys())
        )

    def _hits(self, view: View) -> Iterator[_Hit]:
        lower = view.lower
        wanted = self._wanted(view.words)
        if wanted:
            hits = list(self._at(view, _places(lower, wanted), 0))
            yield from hits
            yield from self._beside(view, hits)
        if view.text is not lower:
            yield from self._handles(view)
            yield from self._mistyped(view, wanted)
        if self._unspaced and not view.text.isascii():
            yield from self._anywhere(view)
        if "\n" in view.text:
            yield from self._broken(view)

    def _wanted(self, words: set[str]) -> set[str]:
        """The words of a text that begin a name: few, however many names there are."""
        plural = {word for word in words if word[-1] == "s" and self._plural(word)}
        return plural | (words & self._singles.keys()) | (words & self._phrases.keys())

    def _at(self, view: View, places: list[tuple[int, int]], after: int) -> Iterator[_Hit]:
        lower = view.lower
        for start, end in places:
            if start < after:
                continue
            token = lower[start:end]
            hit = self._phrase(view, start, end) if token in self._phrases else None
            if hit is None:
                entry = self._singles.get(token) or self._plural(token)
                if entry is None or self._is_word(view, token, start, end):
                    continue
                hit = _Hit(start, end, entry.kind, entry.key, entry.part)
            after = hit.end
            yield hit

    def _beside(self, view: View, hits: list[_Hit]) -> Iterator[_Hit]:
        """What is nearly the other part of a name that stands beside one."""
        for hit in hits:
            parts = self._parts.get(hit.key, ()) if hit.part else ()
            if len(parts) < 2:
                continue
            before = _WORD_BEFORE.search(view.text, max(0, hit.start - _LONGEST), hit.start)
            after = _WORD_AFTER.match(view.text, hit.end)
            for match in filter(None, (before, after)):
                word = match[1].lower()
                if word not in COMMON and any(nearly(word, part) for part in parts):
                    yield _Hit(*match.span(1), hit.kind, f"near:{word}", True)

    def _mistyped(self, view: View, wanted: set[str]) -> Iterator[_Hit]:
        """Words with a capital that are a name but for two letters."""
        for word in self._misspelled.among(view.words - wanted):
            for start, end in _places(view.lower, {word}):
                if view.text[start].isupper() and not view.text[start:end].isupper():
                    yield _Hit(start, end, Kind.PERSON, f"near:{word}", True)

    def _handles(self, view: View) -> Iterator[_Hit]:
        """``aliceSmith92``, ``4l1ce``, ``AliceSmithInvoice``: whole, then hump by hump."""
        text, after = view.text, 0
        for hump in _HUMP.matches(view):
            if hump.start() < after:
                continue
            start = hump.start()
            while (
                start > max(0, after)
                and hump.start() - start < _LONGEST
                and _is_word(text[start - 1])
            ):
                start -= 1
            token = TOKEN.match(view.lower, start)
            if token is None:
                continue
            after = token.end()
            whole = self._handle(token[0]) or self._handle(
                text[start:after].replace("I", "l").lower()
            )
            if whole is not None:
                yield _Hit(start, after, whole.kind, whole.key, whole.part)
            else:
                end = min(after, start + _LONGEST)
                yield from self._at(view, [m.span() for m in _CAMEL.finditer(text, start, end)], 0)

    def _handle(self, token: str) -> _Entry | None:
        for candidate in (token, token.strip("0123456789"), *map(token.translate, _LEET)):
            entry = self._singles.get(candidate)
            if entry is not None and len(candidate) >= 4 and candidate not in COMMON:
                return entry
        return None

    def _plural(self, token: str) -> _Entry | None:
        """The Smiths, the Joneses; never of two letters, for ``is`` and ``as``."""
        if len(token) < 4 or not token.isascii():
            return None
        return self._singles.get(token[:-1]) or self._singles.get(
            token[:-2] if token[-2] == "e" else ""
        )

    def _phrase(self, view: View, start: int, end: int) -> _Hit | None:
        lower = view.lower
        for entry in self._phrases[lower[start:end]]:
            stop = end
            for wanted in entry.tail:
                following = _FOLLOWING.match(lower, stop)
                if following is None or not lower.startswith(wanted, following.end()):
                    break
                stop = following.end() + len(wanted)
            else:
                if lower[stop : stop + 1] == "s" and not _is_word(lower[stop + 1 : stop + 2]):
                    stop += 1
                if _is_word(lower[stop : stop + 1]) and not view.text[stop : stop + 1].isupper():
                    continue
                two = len(entry.tail) == 1
                if not two or not _both_words(view, start, stop, lower[start:end], entry.tail[0]):
                    return _Hit(start, stop, entry.kind, entry.key, entry.part)
        return None

    def _is_word(self, view: View, token: str, start: int, end: int) -> bool:
        plural = len(token) > 3 and token[-1] == "s" and token[:-1] in COMMON
        return (token in COMMON or plural or len(token) < 3) and reads_as_word(view, start, end)

    def _anywhere(self, view: View) -> Iterator[_Hit]:
        lower = view.lower
        at = 0
        while at < len(lower):
            for text, entry in self._unspaced.get(lower[at], ()):
                if lower.startswith(text, at):
                    yield _Hit(at, at + len(text), entry.kind, entry.key, entry.part)
                    at += len(text) - 1
                    break
            at += 1

    def _broken(self, view: View) -> Iterator[_Hit]:
        for match in _BROKEN.finditer(view.lower):
            word = match[1] + match[3]
            entry = self._singles.get(word)
            if entry is not None and (match[2] or (len(word) >= 5 and word not in COMMON)):
                yield _Hit(*match.span(), entry.kind, entry.key, entry.part)

    def _joined(self, view: View, hits: Iterable[_Hit]) -> Iterator[_Hit]:
        """Take initials along, and make parts of one person beside each other one finding."""
        pending: _Hit | None = None
        for hit in sorted(hits):
            grown = self._with_initials(view, hit) if hit.kind is Kind.PERSON else hit
            if pending is None:
                pending = grown
                continue
            between = view.text[pending.end : grown.start]
            same = pending.kind is grown.kind and pending.key == grown.key
            beside = pending.part and grown.part and _INITIAL_BETWEEN.match(between)
            if same and (grown.start < pending.end or (beside and "\n" not in between)):
                pending = pending._replace(
                    end=max(pending.end, grown.end), part=pending.part and grown.part
                )
            else:
                yield pending
                pending = grown
        if pending is not None:
            yield pending

    def _with_initials(self, view: View, hit: _Hit) -> _Hit:
        left = _INITIALS_BEFORE.search(view.text[max(0, hit.start - 9) : hit.start])
        start = hit.start
        # "I Smith" is a sentence; "I. Smith" and "A Smith" are not.
        if left and left[0].strip() not in ("I", "A"):
            start -= len(left[0])
        return hit._replace(start=start)


def _places(lower: str, wanted: set[str]) -> list[tuple[int, int]]:
    """Where words of a set stand as whole words."""
    if len(wanted) > _FEW or not lower.isascii():
        return [match.span() for match in TOKEN.finditer(lower) if match[0] in wanted]
    places = []
    for word in wanted:
        at = lower.find(word)
        while at != -1:
            end = at + len(word)
            if not (lower[at - 1 : at].isalnum() or lower[end : end + 1].isalnum()):
                places.append((at, end))
            at = lower.find(word, end)
    return sorted(places)


def _agreed(one: _Entry, other: _Entry, tokens: tuple[str, ...]) -> _Entry:
    if one.key == other.key and one.kind is other.kind:
        return one if not one.part else other
    if one.part != other.part:
        return other if one.part else one
    return _Entry(one.tail, one.kind, "part:" + " ".join(tokens), one.part)


def _is_word(character: str) -> bool:
    return character.isalnum()


def _both_words(view: View, start: int, end: int, first: str, second: str) -> bool:
    """A name of two ordinary words ("Will Park") needs a capital where others have theirs."""
    if first not in COMMON or second not in COMMON:
        return False
    return view.text is not view.lower and view.cased and view.text[start:end].islower()
