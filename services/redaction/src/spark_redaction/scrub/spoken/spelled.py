"""Names given letter by letter, plain, with "as in", or in the radio alphabet."""

import re
from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.names.dictionary import Dictionary
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

RADIO: Final = [
    "alpha",
    "alfa",
    "bravo",
    "charlie",
    "delta",
    "echo",
    "foxtrot",
    "golf",
    "hotel",
    "india",
    "juliet",
    "juliett",
    "kilo",
    "lima",
    "mike",
    "november",
    "oscar",
    "papa",
    "quebec",
    "romeo",
    "sierra",
    "tango",
    "uniform",
    "victor",
    "whiskey",
    "xray",
    "yankee",
    "zulu",
]
_THERE: Final = Pattern(
    rb"\b[a-z](?:[ .,\-_/*|]{1,3}(?:double )?[a-z]\b){2}|\b[a-z] (?:as in|for|like)\b|\b(?:"
    + "|".join(RADIO).encode()
    + rb")[ ,.\-]{1,3}(?:"
    + "|".join(RADIO).encode()
    + rb")\b"
)
_LETTER: Final = (
    rf"(?:(?:double |capital |and )?[^\W\d_](?:,? (?:as in|for|like) [^\W\d_]+)?|{'|'.join(RADIO)})"
)
_SEQUENCE: Final = re.compile(
    rf"(?<![^\W_]){_LETTER}(?:[ .,\-_/*|]{{1,3}}{_LETTER}){{2,40}}(?![^\W_])"
)
_ONE: Final = re.compile(_LETTER)
_CUE: Final = re.compile(
    r"(?:spell(?:ed|ing|s)?|spelt|letters?|last name|first name|surname|name is|buchstabier\w*)(?![a-z])[^.!?]{0,40}\Z"
)


def letters_in(view: View) -> Iterator[list[tuple[str, int, int]]]:
    """Letters with their ranges, for every stretch that is spelled."""
    if not _THERE.is_in(view.octets):
        return
    for match in _SEQUENCE.finditer(view.lower):
        letters = []
        for one in _ONE.finditer(view.lower, *match.span()):
            text = one[0]
            for word in ("capital ", "and "):
                text = text.removeprefix(word)
            twice = text.startswith("double ")
            letter = text.removeprefix("double ")[0]
            letters += [(letter, one.start(), one.end())] * (2 if twice else 1)
        yield letters


def _find(view: View) -> Iterator[Finding]:
    """Spelled after words that say so; without a dictionary this is all there is."""
    for letters in letters_in(view):
        start, end = letters[0][1], letters[-1][2]
        if _CUE.search(view.lower[max(0, start - 60) : start]):
            yield start, end, Kind.PERSON, "".join(letter for letter, _, _ in letters)


def spelled_names(view: View, dictionary: Dictionary) -> Iterator[Finding]:
    """Known names inside what is spelled, the longest first."""
    for letters in letters_in(view):
        text = "".join(letter for letter, _, _ in letters)
        at = 0
        while at + 3 <= len(letters):
            for stop in range(len(letters), at + 2, -1):
                known = dictionary.knows(text[at:stop])
                if known is not None:
                    yield letters[at][1], letters[stop - 1][2], known[0], known[1]
                    at = stop
                    break
            else:
                at += 1


SPELLED = Recogniser("spelled", _find, rank=47)
