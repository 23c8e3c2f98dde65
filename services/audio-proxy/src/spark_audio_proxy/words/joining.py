"""Words become running text: single spaces, punctuation tight, nothing a word carried lost."""

from collections.abc import Iterable

_TIGHT = frozenset(".,:;!?%)")


def tidied(text: str) -> str:
    """Return a word without spaces around it and with single spaces within; may be empty."""
    return " ".join(text.split())


def joined(texts: Iterable[str]) -> str:
    """Return the words as one line; a word of closing punctuation only follows without a space."""
    parts: list[str] = []
    for text in texts:
        if parts and not _closes(text):
            parts.append(" ")
        parts.append(text)
    return "".join(parts)


def _closes(text: str) -> bool:
    return text[:1] in _TIGHT and not any(letter.isalnum() for letter in text)
