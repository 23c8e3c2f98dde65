"""One spelling for characters that look or mean the same. Never applied to what is returned."""

import unicodedata
from typing import Final

LETTER: Final = "\xff"
"""In octets: any letter outside ASCII."""
SYMBOL: Final = "\xa4"
"""In octets: anything else outside ASCII."""
_LONGEST: Final = 4
"""Characters one may become; U+FDFA alone would become eighteen."""

# Cyrillic and Greek letters that look Latin, and letters of names that NFKD leaves alone.
_PAIRS: Final = dict(
    zip(
        "авсенһіјкморԛѕтхуүԝӏԁαβεζηικμνορτυχϲϳ",
        "abcehhijkmopqstxyywldabezhikmnoptyxcj",
        strict=True,
    )
)
"""In lower case; capitals follow, so that a name in capitals stays the same name."""
_LOOKALIKES: Final = _PAIRS | {
    small.upper(): letter.upper() for small, letter in _PAIRS.items() if small.upper() != small
}
_SPELLED: Final = {
    "ς": "σ", "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O",
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ł": "l", "Ł": "L", "ı": "i",
    "ɑ": "a", "ɡ": "g", "ƒ": "f", "ŋ": "n", "ħ": "h", "Ħ": "H", "ᴀ": "a", "ʙ": "b",
    "ᴄ": "c", "ᴅ": "d", "ᴇ": "e", "ꜰ": "f", "ɢ": "g", "ʜ": "h", "ɪ": "i", "ᴊ": "j", "ᴋ": "k",
    "ʟ": "l", "ᴍ": "m", "ɴ": "n", "ᴏ": "o", "ᴘ": "p", "ʀ": "r", "ꜱ": "s", "ᴛ": "t", "ᴜ": "u",
    "ᴠ": "v", "ᴡ": "w", "ʏ": "y", "ᴢ": "z",
    "。": ".", "、": ",", "·": ".", "•": ".", "‧": ".", "∙": ".", "⋅": ".", "․": ".", "｡": ".",
    "٫": ".", "×": "x", "⁄": "/", "∕": "/", "∶": ":", "：": ":", "﹫": "@", "＠": "@", "ⓐ": "a",
    "«": '"', "»": '"', "„": '"', "“": '"', "”": '"', "‘": "'", "’": "'", "‚": "'", "ʼ": "'",
    "′": "'", "`": "'", "´": "'", "〜": "~", "【": "[", "】": "]", "「": "[", "」": "]", "⟦": "[",
    "⟧": "]", "〔": "[", "〕": "]", "『": "[", "』": "]", "⟨": "<", "⟩": ">", "‹": "<", "›": ">",
    "〈": "<", "〉": ">", "《": "<", "》": ">", "♯": "#", "№": "no",
    "一": "一", "⓪": "0",
}  # fmt: skip
_SPELLED.pop("`")
_DASHES: Final = frozenset("‐‑‒–—―−﹘﹣－⁃➖⸺⸻ー")
_KEPT_DASH: Final = "ー"
# Marks that only decorate. Vowel signs of Indic and South-East Asian scripts are letters of names.
_DECORATION: Final = (
    (0x0300, 0x036F), (0x0483, 0x0489), (0x0591, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F),
    (0x0670, 0x0670), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0x3099, 0x309A),
    (0xFE00, 0xFE0F), (0xFE20, 0xFE2F), (0xE0100, 0xE01EF), (0x034F, 0x034F), (0x180B, 0x180F),
    (0x115F, 0x1160), (0x3164, 0x3164), (0xFFA0, 0xFFA0), (0x17B4, 0x17B5), (0x2800, 0x2800),
)  # fmt: skip
_BOXED: Final = (0x1F130, 0x1F150, 0x1F170, 0x1F1E6)
"""Letters in squares, discs and flags."""
_TAGS: Final = (0xE0020, 0xE007E)
_HANGUL: Final = (0xAC00, 0xD7A3)


def is_decoration(character: str) -> bool:
    """Whether a character vanishes in the folded text."""
    point = ord(character)
    return (unicodedata.category(character) == "Cf" and not _in(point, _TAGS)) or any(
        _in(point, bounds) for bounds in _DECORATION
    )


def folded_character(character: str) -> str:
    """Return what a character becomes: nothing up to four characters, case kept."""
    point = ord(character)
    if point < 0x80:
        return character
    if _in(point, _TAGS):
        return chr(point - 0xE0000)
    if is_decoration(character):
        return ""
    if character in _DASHES and character != _KEPT_DASH:
        return "-"
    for first in _BOXED:
        if first <= point < first + 26:
            return chr(ord("A") + point - first)
    known = _LOOKALIKES.get(character) or _SPELLED.get(character)
    if known is not None:
        return known
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category in ("Zs", "Zl", "Zp"):
        return "\n" if category != "Zs" else " "
    if _in(point, _HANGUL) or point in (0x85,):
        return character if point != 0x85 else "\n"
    return _decomposed(character)


def _decomposed(character: str) -> str:
    parts = []
    for part in unicodedata.normalize("NFKD", character):
        if part == character or ord(part) < 0x80:
            parts.append(part)
        elif not is_decoration(part):
            parts.append(_LOOKALIKES.get(part) or _SPELLED.get(part) or part)
    folded = "".join(parts)
    if not folded.isascii():
        folded = unicodedata.normalize("NFC", folded)
    if len(folded) > _LONGEST:
        return character
    if folded.isdecimal() and not folded.isascii():
        return "".join(str(unicodedata.decimal(each)) for each in folded)
    # Circled and squared letters and digits come out in brackets: (1), [A].
    if len(folded) == 3 and folded[0] in "([" and folded[1].isalnum():
        return folded[1]
    return folded


class _Table(dict[int, str]):
    """Answers ``str.translate``, one character at a time, and remembers."""

    def __missing__(self, point: int) -> str:
        value = self[point] = folded_character(chr(point))
        return value


class _Octets(dict[int, str]):
    def __missing__(self, point: int) -> str:
        character = chr(point)
        if point < 0x80:
            value = character
        else:
            value = LETTER if character.isalpha() or _is_mark(character) else SYMBOL
        self[point] = value
        return value


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Mc")


def _in(point: int, bounds: tuple[int, int]) -> bool:
    return bounds[0] <= point <= bounds[1]


FOLDS: Final = _Table()
OCTETS: Final = _Octets()


def folded(text: str) -> str:
    """Return the folded text in lower case; for keys and comparisons."""
    return (text if text.isascii() else text.translate(FOLDS)).lower()
