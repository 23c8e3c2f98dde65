"""What of a model's answer is believed. The text it read may have told it what to say."""

import re
from collections.abc import Iterable
from typing import Final

from spark_redaction.scrub import Kind, kind_of
from spark_redaction.unknown.ports import Name, Said

KINDS: Final = ("PERSON", "ORG", "ADDRESS", "HANDLE")
STRICT_KINDS: Final = (*KINDS, "PLACE")
"""Places are somebody's only where nothing at all may be told."""
MOST_OF_A_PIECE: Final = 500
_LONGEST: Final = 80
_MOST_WORDS: Final = 8
_LONGEST_ADDRESS: Final = 140
_MOST_WORDS_OF_ADDRESS: Final = 18
_WORDS_ALSO: Final = {
    "PEOPLE": "PERSON",
    "USERNAME": "HANDLE",
    "USER": "HANDLE",
    "COMPANY_NAME": "ORG",
}
_SENTENCE: Final = re.compile(r"[!?;]\s|(?:\b[^\W\d_A-Z]\w*|\w{6,})\.\s|\n\s*\n|\[\[|\]\]|\0")
"""What stands between sentences, or in a placeholder, and in no name."""
_SPEAKER: Final = re.compile(r"\W*(?:speaker|user|assistant|system|agent)[\s_#-]*\d*\W*", re.I)
"""Who speaks in a transcript without being anybody."""
_WORDS: Final = """
a and are as at be because but by customer did doctor for from had has have he her here him his how
i if in into is it its me more no not of on one or our out she sir some somebody that the their
them then there they this to up us was we were what when where which who why with would yes you
your mr mrs ms miss dr null none name names person text unknown
"""
_NO_NAME: Final = frozenset(_WORDS.split())
"""No name by themselves, however a model sees it."""
_AROUND: Final = ".,'\"()\u2019"


def sifted(piece: str, said: Iterable[Said], *, strict: bool) -> list[Name]:
    """Return the names that stand in the piece, each once, in the order in which they were said."""
    kinds = STRICT_KINDS if strict else KINDS
    names: dict[str, Name] = {}
    for number, (type_, raw) in enumerate(said):
        if number == MOST_OF_A_PIECE:
            break
        kind = _kind(type_)
        text = raw.strip()
        if kind in kinds and text not in names and could_be_name(kind, text) and text in piece:
            names[text] = Name(kind, text)
    return list(names.values())


def could_be_name(kind: str, text: str) -> bool:
    """Whether a string has the shape of one name or address, rather than of prose."""
    address = kind == Kind.ADDRESS
    if not 2 <= len(text) <= (_LONGEST_ADDRESS if address else _LONGEST):
        return False
    words = text.split()
    if len(words) > (_MOST_WORDS_OF_ADDRESS if address else _MOST_WORDS):
        return False
    if not any(map(str.isalpha, text)) or _SENTENCE.search(text) or _SPEAKER.fullmatch(text):
        return False
    return any(word.strip(_AROUND).casefold() not in _NO_NAME for word in words)


def _kind(type_: str) -> str:
    word = type_.strip().upper().replace(" ", "_").replace("-", "_")[:40]
    return kind_of(_WORDS_ALSO.get(word, word)).value
