"""Words become running text: single spaces, punctuation tight, nothing a word carried lost.

Between two words of a script that is written without spaces there is none.
"""

import re
import unicodedata
from collections.abc import Iterable

_TIGHT = frozenset(".,:;!?%)、。〉》」』】〕〗〙〛！），．：；？］｝｡｣､")  # noqa: RUF001 - meant to be wide
_UNSEEN = dict.fromkeys((*range(9), *range(14, 28), 127, 0x200B, 0x2060, 0xFEFF))
"""Characters that no reader of a transcript can see; those that separate are kept."""
_UNSPACED = re.compile(
    "[\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Burmese
    "\u1780-\u17ff"  # Khmer
    "\u2e80-\u312f\u31a0-\u31ff\uff01-\uff9f"  # Han's parts, Kana, Bopomofo, their punctuation
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"  # Han
)
"""A letter or mark of a script that is written without spaces between words; Hangul has them."""


def tidied(text: str) -> str:
    """Return a word without spaces around it and with single spaces within; may be empty.

    What could not be written as UTF-8 or would be seen by no one is taken out; marks that only
    shape the letters beside them stay with these.
    """
    if text.isalnum():
        return text
    if not text.isprintable():
        text = text.translate(_UNSEEN).encode("utf-8", "replace").decode("utf-8")
        if all(unicodedata.category(letter) == "Cf" for letter in text.strip()):
            return ""
    return " ".join(text.split())


def joined(texts: Iterable[str]) -> str:
    """Return the words as one line."""
    parts: list[str] = []
    before = ""
    for text in texts:
        parts += (space_between(before, text), text)
        before = text
    return "".join(parts)


def space_between(before: str, after: str) -> str:
    """Return what stands between two words: nothing or a space; nothing before the first.

    Closing punctuation stands tight, and so do words of scripts without spaces.
    """
    if not before or closes(after):
        return ""
    unspaced = _UNSPACED.match(before[-1]) and _UNSPACED.match(after)
    return "" if unspaced else " "


def closes(text: str) -> bool:
    """Whether a word is closing punctuation and stands tight behind the word before it."""
    return text[:1] in _TIGHT and not any(letter.isalnum() for letter in text)


def letters_of(text: str) -> str:
    """Return what is compared when two words are the same: letters and digits, without case."""
    folded = text.casefold()
    if folded.isalnum():
        return folded
    return "".join(letter for letter in folded if letter.isalnum()) or text
