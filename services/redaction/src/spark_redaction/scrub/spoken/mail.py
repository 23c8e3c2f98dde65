"""Mail addresses read out: "alice dot smith at example dot test"."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from spark_redaction.scrub.folding import folded
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.recognisers.top_levels import TOP_LEVELS as TOP_LEVELS_PATTERN
from spark_redaction.scrub.recognisers.top_levels import WORDS as TOP_LEVELS
from spark_redaction.scrub.spoken.tokens import headers, inside, past
from spark_redaction.scrub.spoken.windows import windows
from spark_redaction.scrub.spoken.words import DIGITS, REPEATS, TENS
from spark_redaction.scrub.view import View

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|@")
_AT_WORDS: Final = rb"(?:\bat\b|@|\barroba\b|\bchiocciola\b|\barobase\b|\bklammeraffe\b|\bapenstaartje\b|\bmalpa\b|\bzavinac\b|\bkukac\b|\bsnabel-?a\b|\bkrollalfa\b|\bmiukumauku\b)"
_THERE: Final = Pattern(
    _AT_WORDS
    + rb"(?s:.{1,90}?)\b(?:dot|period|point|punkt|punto|ponto|punt|kropka|tecka|pont|nokta|piste|punktum)\b"
    rb"|"
    + _AT_WORDS
    + rb"[ \n](?:[\w-]+[ ]){0,3}[\w-]+(?:\.[\w-]+){0,2}\.(?:"
    + TOP_LEVELS_PATTERN
    + rb")\b"
)
_BEFORE: Final = 160
_AFTER: Final = 120
_WIDE_AT: Final = frozenset(map(folded, "собака собачка равлик παπάκι".split()))
_WIDE_DOT: Final = frozenset(map(folded, "точка крапка τελεία".split()))
_WIDE_THERE: Final = re.compile(
    rf"(?:{'|'.join(_WIDE_AT)})\b.{{1,90}}?\b(?:{'|'.join(_WIDE_DOT)})\b", re.DOTALL
)
_WIDE_TOPS: Final = frozenset(map(folded, "ру рф ком орг нет юа бай уа гр".split()))
_AT: Final = (
    frozenset(
        "at @ arroba chiocciola arobase klammeraffe apenstaartje snabel snabela malpa zavinac kukac krollalfa miukumauku".split()
    )
    | _WIDE_AT
)
_DOT: Final = (
    frozenset(
        "dot period point punkt punto ponto punt kropka tecka pont nokta piste punktum".split()
    )
    | _WIDE_DOT
)
_TOPS: Final = frozenset(TOP_LEVELS) | _WIDE_TOPS
_CONNECT: Final = _DOT | {
    "underscore",
    "dash",
    "hyphen",
    "minus",
    "plus",
    "underline",
    "unterstrich",
    "tiret",
    "guion",
}
_SKIP: Final = frozenset({"sign", "symbol", "uh", "um", "er", "the"})
_HEARD: Final = frozenset({"mhm", "hmm", "uhhuh", "uh", "huh", "um"})
"""What the other one says in between."""
_LETTER_WORDS: Final = frozenset({"capital", "lowercase", "letter"})
_SCALES: Final = frozenset({"hundred", "thousand", "million"})
_STOP: Final = frozenset(
    """
    is was it's its it me my mine you your our his her their to on via or and so the a an email mail e address emails
    mails reach contact write send look looking found find be here there am are were us we i he she they them that this
    yes yeah okay ok sure no not well right please for from with about of by in up also just then says said message
    email's best work personal home office main new old at if can could would get got hit ping use using try available
    ist lautet meine adresse e-mail ma mon mi correo es
    """.split()
)
_PROVIDERS: Final = frozenset(
    "gmail googlemail yahoo hotmail outlook icloud proton protonmail aol gmx live msn fastmail tutanota web".split()
)
_FARTHEST: Final = 40
_LONG: Final = 3
"""Ordinary words a name before "at" may have when nothing joins them."""
_ENDS: Final = re.compile(r"[;!?]|\n\n")
"""Between two words, where no address goes on."""
_CUE: Final = re.compile(
    r"(?:e-?mail|address|mail|correo|adresse|it's|that's|is)(?: address)?(?: is| at| me at| to| it to)?[\s:,]*\Z"
)


_OWN_CUE: Final = re.compile(
    r"(?:e-?mail|address|mail|correo|adresse|it's|that's)(?: address)?(?: is| at| me at| to| it to)?[\s:,]*\Z"
)
"""Says so clearly that an address comes that even a number behind it is the beginning of one."""


class _Token:
    __slots__ = ("end", "gap", "piece", "start", "text")

    def __init__(self, text: str, start: int, end: int, gap: str, piece: int) -> None:
        """``gap`` stands before it, without time stamps and speakers; ``piece`` counts those."""
        self.text, self.start, self.end, self.gap, self.piece = text, start, end, gap, piece


def _find(view: View) -> Iterator[Finding]:
    skipped: list[tuple[int, int]] | None = None
    done = 0
    for begin, finish in windows(_places(view), gap=_AFTER, least=1):
        if skipped is None:
            skipped = headers(view)
        tokens = _tokens(
            view, skipped, max(done, begin - _BEFORE), min(len(view.lower), finish + _AFTER)
        )
        for found in _addresses(view, tokens):
            done = found[-1].end
            for _, said in groupby(found, key=lambda token: token.piece):
                part = list(said)
                if all(token.text in _HEARD for token in part):
                    continue
                yield part[0].start, part[-1].end, Kind.EMAIL, _address(found)


def _places(view: View) -> Iterator[tuple[int, int]]:
    """Where an "at" stands with a "dot" behind it."""
    places = [match.span() for match in _THERE.matches(view)]
    if view.other_scripts:
        places += [match.span() for match in _WIDE_THERE.finditer(view.lower)]
    return iter(sorted(places))


def _tokens(view: View, skipped: list[tuple[int, int]], first: int, last: int) -> list[_Token]:
    tokens: list[_Token] = []
    at_header = max(0, bisect_left(skipped, (first, first)) - 1)
    for match in _WORD.finditer(view.lower, first, last):
        start = match.start()
        at_header = past(skipped, at_header, start)
        if inside(skipped, at_header, start):
            continue
        piece, gap = at_header, view.lower[tokens[-1].end if tokens else start : start]
        if tokens and piece != tokens[-1].piece:
            gap = "\n"
        tokens.append(_Token(match[0], start, match.end(), gap, piece))
    return tokens


def _addresses(view: View, tokens: list[_Token]) -> Iterator[list[_Token]]:
    """Yield the words of every address that is read out."""
    after = 0
    for at, token in enumerate(tokens):
        if token.text not in _AT or at < after:
            continue
        last = _domain(tokens, at)
        if last is None:
            continue
        said = any(each.text in _DOT for each in tokens[at + 1 : last])
        first = _local(
            view,
            tokens,
            at,
            after,
            sure=said or token.text != "at" or tokens[at + 1].text in _PROVIDERS,
        )
        if first is None:
            continue
        after = last + 1
        yield tokens[first : last + 1]


def _domain(tokens: list[_Token], at: int) -> int | None:
    """Index of the top level's token when a domain was read out after ``at``."""
    best: int | None = None
    words = 0
    dotted = False
    spoken = tokens[at].text != "@"
    for index in range(at + 1, min(len(tokens), at + 24)):
        text = tokens[index].text
        between = tokens[index].gap
        begins = index == at + 1
        if len(between) > 6 or _ENDS.search(between) or (begins and text in _DOT):
            break
        if "." in between and not begins:
            if between.strip() == "." and between != ".":
                break
            dotted = dotted or between == "."
            if between == "." and text in TOP_LEVELS and spoken:
                best, words = index, 0
                continue
        if text in _DOT:
            dotted, words = True, 0
        elif text in _SKIP or text in _CONNECT:
            continue
        else:
            previous = tokens[index - 1].text
            if (
                dotted
                and (text in _TOPS or text in ("c", "o", "com"))
                and (previous in _DOT or previous in _SKIP)
            ):
                if text in _TOPS:
                    best = index
                words = 0
                continue
            if best is not None and previous not in _DOT:
                break
            words += 1
            if words > (12 if len(text) == 1 else 4):
                break
    return best


def _local(view: View, tokens: list[_Token], at: int, floor: int, *, sure: bool) -> int | None:
    """Index of the first token of the name before ``at``; None when it is no name."""
    first = _reach(tokens, at, floor)
    if first == at:
        return None
    if not _OWN_CUE.search(_before(view, tokens[first])):
        first = _past_numbers(tokens, first, at)
    words = tokens[first:at]
    joined = any(word.text in _CONNECT or len(word.text) == 1 for word in words)
    announced = _CUE.search(_before(view, words[0]))
    if not (sure or joined or announced):
        # "Read it at docs.example.test" is no address of anybody.
        return None
    if joined or announced:
        return first
    # Ordinary words in front: the last two of them, and the number behind them.
    named = at
    while named > first and _is_number(tokens[named - 1].text):
        named -= 1
    return max(first, named - 2)


def _reach(tokens: list[_Token], at: int, floor: int) -> int:
    """Index of the first token that may be of the name before ``at``; that itself when none is."""
    first = at
    plain = 0
    while first > floor and at - first < _FARTHEST:
        token = tokens[first - 1]
        if _apart(tokens[first].gap, beside=first == at):
            break
        text = token.text
        if text in _HEARD:
            first -= 1
            continue
        joined = first < at and tokens[first].text in _CONNECT
        if text in _CONNECT or (text in _SKIP - {"the"} and first < at):
            first -= 1
            continue
        if text in _STOP and not joined and not _is_letter(tokens, first - 1, at):
            break
        if not joined and not (len(text) == 1 or _is_number(text) or text in _LETTER_WORDS):
            plain += 1
            if plain > _LONG:
                break
        first -= 1
    while first < at and tokens[first].text in _CONNECT | _SKIP | _HEARD:
        first += 1
    return first


def _apart(between: str, *, beside: bool) -> bool:
    """Whether what stands between two words ends a sentence; not ``beside`` the "at" itself."""
    return (
        len(between) > 14
        or "\n\n" in between
        or (not beside and re.search(r"[.!?;:](?:\s|\Z)", between) is not None)
    )


def _before(view: View, token: _Token) -> str:
    return view.lower[max(0, token.start - 32) : token.start]


def _is_number(text: str) -> bool:
    return text.isdigit() or text in DIGITS or text in TENS or text in REPEATS or text in _SCALES


def _past_numbers(tokens: list[_Token], first: int, at: int) -> int:
    """Index behind the last number that stands before a name and is no part of it.

    "Room four zero two bob dot jones": a number is a part behind a word or a letter of the name,
    or where a sign that is read out joins it to one.
    """
    start = first
    for index in range(first, at - 1):
        after = tokens[index + 1].text
        if (
            _is_number(tokens[index].text)
            and len(after) > 1
            and not (_is_number(after) or after in _CONNECT or after in _SKIP)
            and not _continues(tokens, first, index)
        ):
            start = index + 1
    return start


def _continues(tokens: list[_Token], first: int, index: int) -> bool:
    """Whether the number that ends at a token is joined to a word before it, or to a letter."""
    sign = False
    while index > first:
        index -= 1
        text = tokens[index].text
        if not (_is_number(text) or text in _CONNECT):
            return sign or len(text) == 1
        sign = text in _CONNECT
    return False


def _is_letter(tokens: list[_Token], index: int, at: int) -> bool:
    """Whether a lone letter is spelled: others stand beside it."""
    beside = (index - 1, index + 1)
    return len(tokens[index].text) == 1 and any(
        0 <= each < at and len(tokens[each].text) == 1 for each in beside
    )


def _address(tokens: list[_Token]) -> str:
    signs = {
        "underscore": "_",
        "underline": "_",
        "dash": "-",
        "hyphen": "-",
        "minus": "-",
        "plus": "+",
    }
    parts = []
    for token in tokens:
        if token.text in _AT:
            parts.append("@")
        elif token.text in _DOT:
            parts.append(".")
        elif token.text not in _SKIP:
            parts.append(signs.get(token.text) or DIGITS.get(token.text, token.text))
    return "".join(parts)


SPOKEN_EMAIL = Recogniser("spoken_email", _find, rank=75)
