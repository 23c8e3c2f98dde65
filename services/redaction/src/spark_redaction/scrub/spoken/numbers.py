"""Numbers said in words, through fillers, pauses and changes of speaker."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, NamedTuple

from spark_redaction.scrub.checksums import digits_of, luhn
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.spoken.pairs import DIX, JOINERS, TWENTIES
from spark_redaction.scrub.spoken.tokens import headers, inside, past
from spark_redaction.scrub.spoken.windows import windows
from spark_redaction.scrub.spoken.words import (
    BESIDE,
    CUES,
    DIGITS,
    FILLERS,
    REPEATS,
    TENS,
    WEAK,
    WIDE,
)
from spark_redaction.scrub.view import MARKS, View

_ENOUGH: Final = 7
_FEW: Final = 4
_LONGEST_GAP: Final = 6
_NUMBER_WORDS: Final = sorted({*DIGITS, *TENS, *REPEATS, "hundred", "thousand"} - WEAK)
_THERE: Final = Pattern(rb"\b(?:" + "|".join(_NUMBER_WORDS).encode() + rb")\b")
_GAP: Final = 72
"""Characters between two words of one number: fillers, a time stamp, the name of a speaker."""
_EDGE: Final = 40
_WORD: Final = re.compile(r"[a-z]+|\d+")
_WIDE_WORD: Final = re.compile(rf"(?:[^\W\d_]['{MARKS}]*)+|\d+")
_WIDE_THERE: Final = re.compile(
    rf"(?<![^\W\d_])(?:{'|'.join(sorted({*WIDE, *_NUMBER_WORDS}, key=len, reverse=True))})(?![^\W\d_{MARKS}])"
)
_TOGETHER: Final = re.compile(
    r"[零〇一二三四五六七八九幺两](?:[ \-、,]{0,2}[零〇一二三四五六七八九幺两]){6,}|[공영일이삼사오육륙칠팔구](?:[ \-,]{0,2}[공영일이삼사오육륙칠팔구]){6,}"
)
"""Digits of scripts that put no space between words."""
_HAN: Final = str.maketrans(
    "〇零一二三四五六七八九幺两공영일이삼사오육륙칠팔구", "0012345678912001234566789"
)
_BREAK: Final = re.compile(r"[^\s,.:\-–()/\"'?…+]|\n[ \t]*\n[ \t]*\n")
_CUE: Final = re.compile(rf"(?<![a-z])(?:{CUES})(?![a-z])")
_ZERO: Final = re.compile(
    r"(?<![a-z])(oh|o|null|nul|nol|sept|ein|een|un|um|due|dos|sei|sex)[ ,]{1,3}\Z"
)
_BACK: Final = re.compile(
    r"(?<![a-z])(?:cvv|cvc|csc|security code)(?: number| code)?(?: is|,|:)?[ ]*\Z"
)
_SSN: Final = re.compile(r"(?<![a-z])(?:social|ssn|taxpayer|tax id|itin)(?![a-z])")
_CARD: Final = re.compile(r"(?<![a-z])(?:card|visa|amex|mastercard|credit|debit)(?![a-z])")
_PHONE: Final = re.compile(
    r"(?<![a-z])(?:phone|call|cell|mobile|reach|dial|text|fax|telephone|area code)(?![a-z])"
)
_AMOUNT: Final = re.compile(
    r"[\s,]*(?:dollars?|euros?|pounds?|percent|people|years?|million|billion|bucks|cents?|degrees|miles|kilometers|times|users|employees|customers)(?![a-z])"
)


class _Word(NamedTuple):
    start: int
    end: int
    digits: str
    """Empty for a filler."""
    spoken: bool


class _Run:
    """Words that so far make one number."""

    def __init__(self) -> None:
        self.words: list[_Word] = []
        self._last: int | None = None
        self.gap = 0
        self.open = 0
        """Zeros at the end that the next word may still fill: thirty, then four."""
        self.quantity = False
        self.said: set[str] = set()

    def digits(self) -> str:
        return "".join(word.digits for word in self.words)

    def take(self, word: _Word) -> None:
        """Take a word in."""
        if word.digits:
            self._last = len(self.words)
        self.words.append(word)

    def add(self, word: str, digits: str) -> str:
        """Return what a word adds; zeros before it that are open make room: thirty, four is 34."""
        at, room = self._last, self.open
        self.open = _open(word, digits)
        if at is None:
            return digits
        before = self.words[at]
        split = _split(before.digits, word, digits, room)
        if split is None:
            return digits
        self.words[at] = before._replace(digits=split[0])
        self.open = max(self.open, _open(word, split[1])) or int(split[1] == "0")
        return split[1]

    def trimmed(self) -> list[_Word]:
        last = max((at for at, word in enumerate(self.words) if word.digits), default=-1)
        return self.words[: last + 1]


def _open(word: str, digits: str) -> int:
    """How many zeros at the end of a word's digits the next one may fill."""
    if digits == "10":
        return int(word == DIX)
    return len(digits) - len(digits.rstrip("0")) if len(digits) > 1 else 0


def _split(before: str, word: str, digits: str, room: int) -> tuple[str, str] | None:
    """The digits of two words that are one number, None when they stand apart."""
    if before == "4" and word in TWENTIES:
        return "", "80"
    if not room or digits[0] == "0":
        return None
    if before in ("60", "80") and len(digits) == 2 and digits[0] == "1":
        return str(int(before[0]) + 1), digits[1]
    if len(digits) > room or (before == "10" and digits not in ("7", "8", "9")):
        return None
    return before[: -len(digits)], digits


def _find(view: View) -> Iterator[Finding]:
    skipped: list[tuple[int, int]] | None = None
    if view.other_scripts:
        for match in _TOGETHER.finditer(view.lower):
            digits = digits_of(match[0].translate(_HAN))
            yield (
                *match.span(),
                _kind(digits, view.lower[max(0, match.start() - 64) : match.start()]),
                digits,
            )
    for start, end in windows(_places(view), gap=_GAP, least=2):
        if skipped is None:
            skipped = headers(view)
        # Figures, and words that are digits only beside others, stand just outside.
        first = view.lower.rfind(" ", 0, max(0, start - _EDGE)) + 1
        for run in _runs(view, skipped, first, min(len(view.lower), end + _EDGE)):
            words = run.trimmed()
            if words and any(word.spoken for word in words):
                yield from _judged(view, words, run.quantity, skipped)


def _places(view: View) -> Iterator[tuple[int, int]]:
    """Where words of numbers stand."""
    if not view.other_scripts or view.words.isdisjoint(WIDE):
        return (match.span() for match in _THERE.matches(view))
    return (match.span() for match in _WIDE_THERE.finditer(view.lower))


def spoken_digits(view: View) -> Iterator[str]:
    """The digits of every number that is said, however short."""
    for start, end in windows(_places(view), gap=_GAP, least=2):
        for run in _runs(view, headers(view), start, min(len(view.lower), end + _EDGE)):
            yield run.digits()


def _runs(view: View, skipped: list[tuple[int, int]], first: int, last: int) -> Iterator[_Run]:
    run = _Run()
    previous_end = 0
    repeat = 0
    at_header = max(0, bisect_left(skipped, (first, first)) - 1)
    pattern = _WORD if view.text.isascii() else _WIDE_WORD
    for match in pattern.finditer(view.lower, first, last):
        start, end = match.span()
        at_header = past(skipped, at_header, start)
        if inside(skipped, at_header, start):
            continue
        if run.words and _breaks(view, previous_end, start, skipped, at_header):
            yield run
            run = _Run()
            repeat = 0
        word = match[0]
        if run.open and "," in view.lower[previous_end:start]:
            run.open = 0
        if word in REPEATS:
            repeat = REPEATS[word]
            run.take(_Word(start, end, "", spoken=True))
            previous_end = end
            continue
        digits = _digits(run, word)
        if digits is not None:
            if repeat and len(digits) == 1:
                digits *= repeat
            repeat = 0
            run.take(_Word(start, end, digits, spoken=not word.isdigit()))
            run.gap = 0
            previous_end = end
        elif run.words and word in ("hundred", "thousand", "million", "billion"):
            _multiply(run, word, start, end)
            previous_end = end
        elif run.words and _adds_nothing(run, view, word) and run.gap < _LONGEST_GAP:
            run.gap += 1
            run.open = run.open if word in JOINERS else 0
            run.take(_Word(start, end, "", spoken=False))
            previous_end = end
        elif run.words:
            yield run
            run = _Run()
            repeat = 0
    if run.words:
        yield run


def _adds_nothing(run: _Run, view: View, word: str) -> bool:
    """A filler, an "and" behind tens, or the second word of "area code"."""
    if word in FILLERS or (run.open and word in JOINERS):
        return True
    last = run.words[-1]
    return word == "code" and view.lower[last.start : last.end] == "area"


def _digits(run: _Run, word: str) -> str | None:
    if word.isdigit():
        run.open = 0
        return word if len(word) <= 12 else None
    if word in TENS:
        return run.add(word, TENS[word] + "0")
    digits = DIGITS.get(word) or WIDE.get(word) or _beside(run, word)
    if digits is None or (word in WEAK and not any(each.digits for each in run.words)):
        return None
    run.said.add(word)
    return run.add(word, digits)


def _beside(run: _Run, word: str) -> str | None:
    for digit, others in BESIDE.get(word, ()):
        if not run.said.isdisjoint(others):
            return digit
    return None


def _multiply(run: _Run, word: str, start: int, end: int) -> None:
    zeros = {"hundred": "00", "thousand": "000"}.get(word, "")
    if word != "hundred":
        run.quantity = True
    run.open = 0
    run.take(_Word(start, end, zeros, spoken=True))


def _breaks(
    view: View, start: int, end: int, skipped: list[tuple[int, int]], at_header: int
) -> bool:
    pieces = []
    at = start
    for begin, finish in skipped[max(0, at_header - 3) : at_header + 1]:
        if begin >= start and finish <= end:
            pieces.append(view.lower[at:begin])
            at = finish
    pieces.append(view.lower[at:end])
    between = "".join(pieces)
    return len(between) > 12 or _BREAK.search(between) is not None


def _judged(
    view: View, words: list[_Word], quantity: bool, skipped: list[tuple[int, int]]
) -> Iterator[Finding]:
    digits = "".join(word.digits for word in words)
    start, end = words[0].start, words[-1].end
    zero = _ZERO.search(view.lower, max(0, start - 8), start)
    if zero is not None:
        first = DIGITS.get(zero[1], "0")
        words = [_Word(zero.start(1), zero.end(1), first, spoken=True), *words]
        digits, start = first + digits, zero.start(1)
    before = view.lower[max(0, start - 64) : start]
    cued = _CUE.search(before) is not None
    if len(digits) == 3 and _BACK.search(before):
        yield start, end, Kind.SECRET, digits
        return
    if len(digits) < _FEW or (quantity and (len(digits) < 9 or _AMOUNT.match(view.lower, end))):
        return
    if _counts_up(words) and not (cued and _close(before)):
        return
    spoken = [word for word in words if word.spoken and word.digits]
    if len(digits) < _ENOUGH and not (cued and _close(before)):
        return
    if len(digits) < _ENOUGH and (
        _AMOUNT.match(view.lower, end) or _is_year(words, digits, before)
    ):
        return
    if len(spoken) == 1 and len(digits) < _ENOUGH + 3 and not cued:
        return
    kind = _kind(digits, before)
    for begin, finish in _said(words, skipped):
        yield begin, finish, kind, digits


def _close(before: str) -> bool:
    """Whether the cue is in the same sentence."""
    found = None
    for found in _CUE.finditer(before):  # noqa: B007 (the last one counts)
        pass
    return found is not None and not re.search(r"[.!?]\s", before[found.end() :])


def _is_year(words: list[_Word], digits: str, before: str) -> bool:
    return (
        len(digits) == 4
        and digits[:2] in ("19", "20")
        and len(words) <= 3
        and "pin" not in before
        and "last four" not in before
    )


def _counts_up(words: list[_Word]) -> bool:
    """One two three, or ten nine eight: a microphone being tested, a rocket being started."""
    values = [int(word.digits) for word in words if word.digits]
    if len(values) > 2 and values == list(range(values[0], values[0] - len(values), -1)):
        return values[-1] <= 1
    return values == list(range(1, len(values) + 1)) and (len(values) < 8 or len(values) >= 10)


def _kind(digits: str, before: str) -> Kind:
    if _SSN.search(before) and len(digits) in (4, 9):
        return Kind.SSN
    if (_CARD.search(before) and len(digits) >= 12) or (13 <= len(digits) <= 19 and luhn(digits)):
        return Kind.CARD
    if _PHONE.search(before) and 7 <= len(digits) <= 15:
        return Kind.PHONE
    if len(digits) in (10, 11):
        return Kind.PHONE
    if len(digits) == 9:
        return Kind.SSN
    return Kind.CARD if 15 <= len(digits) <= 16 else Kind.NUMBER


def _said(words: list[_Word], skipped: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The stretches between time stamps and names of speakers, without fillers at their edges."""
    pieces: list[list[_Word]] = [[]]
    for word in words:
        if pieces[-1]:
            at = bisect_left(skipped, (pieces[-1][-1].end, 0))
            if at < len(skipped) and skipped[at][1] <= word.start:
                pieces.append([])
        pieces[-1].append(word)
    for piece in pieces:
        while piece and not piece[0].digits and not piece[0].spoken:
            piece.pop(0)
        while piece and not piece[-1].digits:
            piece.pop()
        if piece:
            yield piece[0].start, piece[-1].end


SPOKEN_NUMBER = Recogniser("spoken_number", _find, rank=61)
