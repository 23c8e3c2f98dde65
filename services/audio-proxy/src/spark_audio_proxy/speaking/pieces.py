"""Long text in pieces that are spoken one after the other, cut where a speaker breathes."""

import re
from collections.abc import Iterator
from typing import Final

from spark_audio_proxy.speaking.cleaning import PARAGRAPH

MOST_CHARACTERS: Final = 400
"""Of one piece: what every engine takes at once."""
_ENOUGH: Final = 200
"""Short sentences of a long text are put together up to here. Kokoro speaks about so much in one
go: a piece that it fails at comes back empty, and not with a hole."""
_END = re.compile(r"""[.?!…]+["'”’»)\]]*(?=\s)|[。！？；]+[」』”）]*""")  # noqa: RUF001
_OPENING: Final = "(\"'“‘["  # noqa: RUF001
_SHORT_FORMS: Final = (
    "mr mrs ms dr prof sr jr st vs etc e.g i.e eg ie no nr fig vol approx dept inc ltd co corp "
    "bzw ca z.b d.h u.a usw jan feb mar apr jun jul aug sep sept oct nov dec a.m p.m u.s u.k"
)
_SHORT: Final = frozenset(_SHORT_FORMS.split())
_WEAK = re.compile(r"[,;:，、：]\s?|\s[-–—]\s|\s")  # noqa: RUF001 - full-width marks are meant


def pieces(text: str) -> list[str]:
    """Cut cleaned text; every word is in exactly one piece, in order.

    Of a text of several pieces the first is one sentence, so that the sound begins early.
    """
    if len(text) <= MOST_CHARACTERS and PARAGRAPH not in text:
        return [text] if text else []
    found: list[str] = []
    for paragraph in text.split(PARAGRAPH):
        begins = True
        for sentence in _sentences(paragraph):
            for part in _short_enough(sentence):
                if not begins and len(found) > 1 and len(found[-1]) + len(part) < _ENOUGH:
                    found[-1] = f"{found[-1]} {part}"
                else:
                    found.append(part)
                begins = False
    return _spoken(found)


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(text):
        if _is_short_form(text, end):
            continue
        yield text[start : end.end()].strip()
        start = end.end()
    if rest := text[start:].strip():
        yield rest


def _is_short_form(text: str, end: re.Match[str]) -> bool:
    """Whether the dot belongs to the word before it: Dr., e.g., an initial, an ordinal."""
    if end[0] != ".":
        return False
    # No short form is longer than this: looking further back makes it quadratic.
    word = text[max(0, end.start() - 12) : end.start()].rpartition(" ")[2].strip(_OPENING)
    if len(word) < 4 and word.isdigit():
        return True
    return word.casefold() in _SHORT or (len(word) == 1 and word.isupper())


def _short_enough(sentence: str) -> Iterator[str]:
    while len(sentence) > MOST_CHARACTERS:
        at = _cut(sentence)
        yield sentence[:at].strip()
        sentence = sentence[at:].strip()
    if sentence:
        yield sentence


def _cut(sentence: str) -> int:
    """Return where to cut: at the last comma in the second half, else between words, else hard."""
    commas, blanks = 0, 0
    for mark in _WEAK.finditer(sentence, MOST_CHARACTERS // 2, MOST_CHARACTERS):
        blanks = mark.end()
        if mark[0].strip():
            commas = mark.end()
    return commas or blanks or MOST_CHARACTERS


def _spoken(found: list[str]) -> list[str]:
    """Put what has neither letter nor digit to its neighbour: alone it would be silence."""
    spoken: list[str] = []
    silent = ""
    for part in found:
        if not any(map(str.isalnum, part)):
            if spoken and len(spoken[-1]) + len(part) < MOST_CHARACTERS:
                spoken[-1] = f"{spoken[-1]} {part}"
            elif not spoken:
                silent = part
        elif silent and len(silent) + len(part) < MOST_CHARACTERS:
            spoken.append(f"{silent} {part}")
            silent = ""
        else:
            spoken.append(part)
            silent = ""
    return spoken
