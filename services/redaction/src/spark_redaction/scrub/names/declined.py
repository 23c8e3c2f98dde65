"""Names of Slavic languages and Greek as they are declined, and as papers write them in Latin."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

_CYRILLIC: Final = re.compile(r"[\u0400-\u04ff]+")
_GREEK: Final = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]+")
_LATIN_SLAVIC: Final = re.compile(r"[^\W\d_]{2,}[scz]k[iya]")
_ADJECTIVE: Final = "ого ому им ым ом ая ую ой ие ые их ых"
_ENDINGS: Final[tuple[tuple[str, str], ...]] = (
    ("ский", "ского скому ским ском ская скую ской ские ских"),
    ("цкий", "цкого цкому цким цком цкая цкую цкой цкие цких"),
    ("ий", f"{_ADJECTIVE} ия ию ием ии"),
    ("ый", _ADJECTIVE),
    ("ой", _ADJECTIVE),
    ("ая", "ой ую"),
    ("й", "я ю ем е и"),
    ("ия", "ии ию ией"),
    ("я", "и е ю ей"),
    ("а", "ы и е у ой ей"),
    ("ь", "я ю ем е и"),
    ("ец", "ца цу цем це"),
    ("", "а у ом ем е ым ы ых ыми ой"),
)
"""What stands for the end of a first case in the others; the first that fits."""
_GREEK_ENDINGS: Final = (
    ("ος", "ου ο ε"),
    ("ης", "η"),
    ("ας", "α"),
    ("ις", "ι"),
    ("α", "ας"),
    ("η", "ης"),
    ("ω", "ως"),
)
_SKI_ENDINGS: Final = "i iego iemu im ich y a iej ą ej ou ého ému ým"
"""Behind ``sk``, ``ck``, ``zk``: Polish, Czech, and the names of women."""
_OF_SLAVS: Final = frozenset("łńśźżąęěřůčďňť")
_SLAVIC_ENDS: Final = (
    "ova",
    "ová",
    "owa",
    "wicz",
    "vić",
    "vic",
    "czyk",
    "enko",
    "czak",
    "cik",
    "wiak",
    "szek",
    "owak",
    "niak",
    "ák",
    "ík",
)
_SHORT: Final = 4
_FEMALE: Final = "y ie i ę ą o u e ou ě ej"
_MALE: Final = "a owi ovi em iem ie u e y i ové"
_FEMALE_LONG: Final = "é ou"
"""Of Czech family names in ``-ová``."""
_FINNISH: Final = "sen selle selta sella sesta seen sta"
_CYRILLIC_LETTERS: Final = "абвгдежзийклмнопрстуфхцчшщъыьэюяёієґ"
_SPELLINGS: Final = (
    "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya yo i ye g",
    "a b v g d e zh z i i k l m n o p r s t u f kh ts ch sh shch ie y _ e iu ia e i ie g",
    "a b w g d e sch s i j k l m n o p r s t u f ch z tsch sch schtsch _ y _ e ju ja jo i je g",
    "a b v g d e z z i j k l m n o p r s t u f h c c s sc _ y _ e ju ja e i je g",
)
"""English, passports, German, scholars, letter by letter; ``_`` is nothing."""
_GREEK_LETTERS: Final = "αβγδεζηθικλμνξοπρσςτυφχψω"
_GREEK_SPELLINGS: Final = (
    "a v g d e z i th i k l m n x o p r s s t y f ch ps o",
    "a v g d e z i th i k l m n x o p r s s t i ph h ps o",
)


def _tables(letters: str, spellings: tuple[str, ...]) -> tuple[Mapping[int, str], ...]:
    return tuple(
        str.maketrans(
            dict(zip(letters, (each.replace("_", "") for each in spelling.split()), strict=True))
        )
        for spelling in spellings
    )


_CYRILLIC_TABLES: Final = _tables(_CYRILLIC_LETTERS, _SPELLINGS)
_GREEK_TABLES: Final = _tables(_GREEK_LETTERS, _GREEK_SPELLINGS)
_SOFT_E: Final = re.compile(r"(?<=[аеёиоуыэюяьъ])е")
_LAST_IY: Final = re.compile(r"ий\b")


def spelled_otherwise(name: str) -> set[str]:
    """Return a name in Latin letters, several times where papers differ; empty for a Latin one."""
    low = name.lower()
    if _CYRILLIC.search(low):
        spoken = {low, _SOFT_E.sub("йе", low)}
        spoken |= {_LAST_IY.sub(end, each) for each in spoken for end in ("ы", "и")}
        return {each.translate(table) for each in spoken for table in _CYRILLIC_TABLES}
    if _GREEK.search(low):
        bare = _bare(low).replace("ου", "ou").replace("ευ", "ev").replace("αυ", "av")
        return {bare.translate(table) for table in _GREEK_TABLES}
    return set()


def declined(word: str) -> Iterator[str]:
    """Yield the other cases of a word in Cyrillic or Greek, or of a name in ``-ski``."""
    low = word.lower()
    if len(low) < 3:
        return
    if _CYRILLIC.fullmatch(low):
        yield from _ended(low, _ENDINGS)
    elif _GREEK.fullmatch(low):
        yield from _ended(_bare(low), _GREEK_ENDINGS)
    elif _LATIN_SLAVIC.fullmatch(low):
        yield from (low[:-1] + ending for ending in _SKI_ENDINGS.split())
        yield low[:-2] + "cy"
    elif low.endswith("nen") and len(low) > 5:
        yield from (low[:-3] + ending for ending in _FINNISH.split())


def is_slavic(name: str) -> bool:
    """Whether a name in Latin letters is one of those that are declined."""
    low = name.lower()
    return not _OF_SLAVS.isdisjoint(low) or any(
        _LATIN_SLAVIC.fullmatch(word) or word.endswith(_SLAVIC_ENDS) for word in low.split()
    )


def declined_given(word: str) -> Iterator[str]:
    """Yield the other cases of a word of a Slavic name in Latin letters: Anna, Anny, Annie."""
    low = word.lower()
    if len(low) < 3 or not low.isalpha() or _CYRILLIC.search(low):
        return
    if low.endswith("á"):
        stem, endings = low[:-1], _FEMALE_LONG
    else:
        stem, endings = (low[:-1], _FEMALE) if low.endswith("a") else (low, _MALE)
    # Of short names only what is no other name or word: Janem, not Jane.
    shortest = 2 if len(low) < _SHORT else 1
    yield from (stem + ending for ending in endings.split() if len(ending) >= shortest)
    if low.endswith(("ek", "ec")):
        yield from (low[:-2] + low[-1] + ending for ending in endings.split())


def _ended(word: str, endings: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for end, others in endings:
        if word.endswith(end):
            stem = word[: len(word) - len(end)]
            yield from (stem + other for other in others.split())
            return


def _bare(text: str) -> str:
    """Without accents: they move when a word is declined."""
    return "".join(
        each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each)
    )
