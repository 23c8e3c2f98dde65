"""How a placeholder is written, and the ways in which a model may have bent it.

What is forgiven: case, separators, brackets, escapes. What is not: the type and the number.
"""

import re
from collections.abc import Collection, Iterator
from typing import Final, Literal, NamedTuple

from spark_redaction.scrub.kinds import BY_NAME, NAMES, Kind
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.view import View

Tolerance = Literal["exact", "standard", "lenient"]

_BRACKETS: Final = "[["
LETTERS: Final = "ABCDEFGHIJKLMNOPQRTUVWXYZ"
"""Of surface forms. Without S: ``PERSON_1s`` is a plural. A is the first and unwritten."""
_BY_LENGTH: Final = "|".join(sorted(NAMES, key=len, reverse=True))
EXACT: Final = re.compile(rf"\[\[({_BY_LENGTH})_([1-9][0-9]{{0,8}})([A-RT-Z]{{0,3}})\]\]")
FOREIGN: Final = re.compile(r"\[\[([A-Z]{2,24})_([0-9]{1,9})([A-Z]{0,3})\]\]")
"""Looks like one of ours; its type may be unknown."""
LONGEST: Final = 64
"""Characters a bent placeholder has at most, in the raw text."""

_CORE: Final = Pattern(
    rb"(?:" + _BY_LENGTH.encode() + rb")[_\-:#.~ \t\r\n\\]{0,4}[0-9]{1,9}[a-z]{0,4}"
)
_PARTS: Final = re.compile(rf"({_BY_LENGTH})([^0-9]*)([0-9]+)([A-Za-z]*)", re.IGNORECASE)
_OPEN: Final = re.compile(r"(?:[\[{<(]\\?\s?){1,3}\\?\Z")
_LISTED: Final = re.compile(r"\s?[,;]")
_CLOSE: Final = re.compile(r"(?:\s?\\?(?:/>|[\]}>)])){1,3}")
_GOES_ON: Final = re.compile(r"\s[0-9]")
"""Behind an open bracket: ``[[PERSON_1 2]]`` may have been number twelve."""
_OWNED: Final = re.compile(r"'s(?=\s?\\?[\]}>)])")
"""``[[PERSON_1's]]``: as a folded text shows it."""
_PARENS: Final = frozenset("()")
_CLEAN: Final = {"_": True, "-": False, "": False}
"""Separators without brackets, and whether they go with any case."""
_NEXT_TO: Final = re.compile(
    rf"(?:{_BY_LENGTH})[_\-]?[0-9]{{1,9}}[A-Z]{{0,3}}[/\-]\Z", re.IGNORECASE
)
_NEAR: Final = 24
"""Characters in which the placeholder before a slash is looked for."""
_EDGES: Final = frozenset("[{<()>}]")
_REACH: Final = 12
"""Characters beside a placeholder in which all of its brackets stand, behind a possessive too."""
_NOT_BEFORE: Final = frozenset("-.@/$\\&%")


class Token(NamedTuple):
    """A placeholder as written: range in the raw text and what it names."""

    start: int
    end: int
    kind: Kind
    number: int
    variant: str
    exact: bool
    tail: str = ""
    """What a model wrote inside the brackets and belongs behind the value: a possessive."""

    @property
    def canonical(self) -> str:
        """The way we write it."""
        return written(self.kind, self.number, self.variant)


def written(kind: Kind, number: int, variant: str) -> str:
    """Return the placeholder."""
    return f"[[{kind.value}_{number}{variant}]]"


def variant_at(index: int) -> str:
    """Return the letters of the surface form with this index: "", B, C, ... AA, AB."""
    if index == 0:
        return ""
    letters = ""
    index += 1
    while index:
        index, place = divmod(index - 1, len(LETTERS))
        letters = LETTERS[place] + letters
    return letters


def exact_tokens(text: str) -> Iterator[Token]:
    """Placeholders written as we write them."""
    if _BRACKETS not in text:
        return
    for match in EXACT.finditer(text):
        kind, number, letters = match.groups()
        yield Token(*match.span(), BY_NAME[kind], int(number), _implied(letters), exact=True)


def bent_tokens(view: View, tolerance: Tolerance, known: Collection[int] = ()) -> Iterator[Token]:
    """Everything in a view that may stand for a placeholder, exact ones among it.

    ``known`` are the starts of exact ones in the raw text, which are left out.
    """
    if tolerance == "exact":
        return
    for match in _CORE.matches(view):
        start, stop = match.span()
        if known and view.raw(start, start + 1)[0] - len(_BRACKETS) in known:
            continue
        token = _bent(view, start, stop, lenient=tolerance == "lenient")
        if token is not None:
            yield token


def _bent(view: View, start: int, stop: int, *, lenient: bool) -> Token | None:
    if view.octets[stop : stop + 1].isalnum():
        return None
    parts = _PARTS.match(view.text, start, stop)
    if parts is None:
        return None
    name, between, digits, letters = parts.groups()
    end = parts.end()
    if not lenient and not _clean(name, between) and not _near_brackets(view, start, end):
        return None
    suffix = _variant(letters)
    if suffix is None:
        return None
    variant, kept = suffix
    end -= kept
    tail = _owned(view, start, end)
    left, right = _brackets(view, start, end + len(tail))
    bare = left == start and right == end
    if (bare or _only_parens(view, left, start)) and not _alone(view, left, right + kept):
        return None
    if bare and not lenient and not _clean(name, between):
        return None
    if left < start and right == end == len(view.text):
        # Cut off: what looks like number one may have been number twelve.
        return None
    if left < start and right == end and _GOES_ON.match(view.text, end):
        return None
    number = int(digits)
    if number == 0:
        return None
    raw_start, raw_end = view.raw(left, right)
    return Token(raw_start, raw_end, BY_NAME[name.upper()], number, variant, exact=False, tail=tail)


def _near_brackets(view: View, start: int, end: int) -> bool:
    """Whether there may be brackets on either side."""
    around = view.text[max(0, start - _REACH) : start] + view.text[end : end + _REACH]
    return not _EDGES.isdisjoint(around)


def _owned(view: View, start: int, end: int) -> str:
    """A possessive inside of brackets."""
    if not view.text.startswith("'s", end) or not _OWNED.match(view.text, end):
        return ""
    return "'s" if _OPEN.search(view.text[max(0, start - 9) : start]) else ""


def _variant(letters: str) -> tuple[str, int] | None:
    """Letters after the number: variant and how many of them stay outside; None when neither."""
    upper = letters.upper()
    if not letters:
        return "", 0
    if upper == "S":
        return "", 1
    if len(letters) <= 3 and "S" not in upper:
        return _implied(upper), 0
    if upper.endswith("S") and len(letters) <= 4 and "S" not in upper[:-1]:
        return _implied(upper[:-1]), 1
    return None


def _implied(variant: str) -> str:
    return "" if variant == "A" else variant


def _clean(name: str, between: str) -> bool:
    any_case = _CLEAN.get(between)
    return any_case is not None and (any_case or name.isupper())


def _alone(view: View, start: int, end: int) -> bool:
    """Whether what has no brackets of its own stands free, or in the underscores of emphasis."""
    octets = view.octets
    left = len(octets[max(0, start - 2) : start]) - len(
        octets[max(0, start - 2) : start].rstrip(b"_")
    )
    right = len(octets[end : end + 2]) - len(octets[end : end + 2].lstrip(b"_"))
    if left and left == right:
        start, end = start - left, end + right
    before, after = octets[max(0, start - 1) : start], octets[end : end + 1]
    if (
        before.isalnum()
        or before in (b"_", b"\xff")
        or after.isalnum()
        or after in (b"_", b"\xff", b"@")
    ):
        return False
    if before.decode("latin-1") in _NOT_BEFORE and before:
        return _NEXT_TO.search(view.text[max(0, start - _NEAR) : start]) is not None
    return True


def _only_parens(view: View, left: int, start: int) -> bool:
    return left < start and set(view.text[left:start]) <= {"(", " "}


def _brackets(view: View, start: int, end: int) -> tuple[int, int]:
    """Return the range with the brackets that belong to it."""
    opening = _OPEN.search(view.text[max(0, start - 9) : start])
    closing = _CLOSE.match(view.text, end)
    opens = (
        [at for at in range(start - len(opening[0]), start) if view.text[at] in "[{<("]
        if opening
        else []
    )
    closes = [at for at in range(end, closing.end()) if view.text[at] in "]}>)"] if closing else []
    opens.reverse()
    left, right = start, end
    pairs = 0
    while pairs < min(len(opens), len(closes)):
        one, other = opens[pairs], closes[pairs]
        if (view.text[one] in _PARENS) != (view.text[other] in _PARENS):
            break
        if view.text[one] == "(" and one and view.octets[one - 1 : one].isalnum():
            break
        left, right = one, other + 1
        pairs += 1
    listed = _LISTED.match(view.text, end) is not None
    left = _unpaired(view, opens, pairs, left, alone=not listed)
    right = _unpaired(view, closes, pairs, right, after=True)
    return left, right


def _unpaired(
    view: View,
    places: list[int],
    pairs: int,
    edge: int,
    *,
    after: bool = False,
    alone: bool = False,
) -> int:
    """Brackets without a partner go in twos, or beside a pair, or alone when nothing is listed."""
    rest = [at for at in places[pairs:] if view.text[at] not in _PARENS]
    if not rest or view.text[places[pairs]] in _PARENS or pairs > 1:
        return edge
    if pairs == 1:
        return rest[0] + 1 if after else rest[0]
    if len(rest) >= 2:
        return rest[1] + 1 if after else rest[1]
    return rest[0] if alone and view.text[rest[0]] == "[" else edge
