"""Words become running text: single spaces, punctuation tight, nothing a word carried lost."""

from collections.abc import Iterable

_TIGHT = frozenset(".,:;!?%)")
_UNSEEN = dict.fromkeys((*range(9), *range(14, 28), 127, 65279))
"""Control characters that no reader of a transcript can show; those that separate are kept."""


def tidied(text: str) -> str:
    """Return a word without spaces around it and with single spaces within; may be empty.

    What could not be written as UTF-8 or would be seen by no one is taken out.
    """
    if text.isalnum():
        return text
    if not text.isprintable():
        text = text.translate(_UNSEEN).encode("utf-8", "replace").decode("utf-8")
    return " ".join(text.split())


def joined(texts: Iterable[str]) -> str:
    """Return the words as one line; a word of closing punctuation only follows without a space."""
    parts: list[str] = []
    for text in texts:
        if parts and not closes(text):
            parts.append(" ")
        parts.append(text)
    return "".join(parts)


def closes(text: str) -> bool:
    """Whether a word is closing punctuation and stands tight behind the word before it."""
    return text[:1] in _TIGHT and not any(letter.isalnum() for letter in text)


def letters_of(text: str) -> str:
    """Return what is compared when two words are the same: letters and digits, without case."""
    folded = text.casefold()
    if folded.isalnum():
        return folded
    return "".join(letter for letter in folded if letter.isalnum()) or text
