"""What stands just before and after a match."""

import re
from typing import Final

from spark_redaction.scrub.names.unspaced import UNSPACED
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.view import View

STOP = "\0"
"""Stands between texts that have nothing to do with each other."""
_STOP: Final = STOP.encode()
_COUNTED: Final = re.compile(
    rb"(?:\b|_|(?<=[a-z])(?=[A-Z]))(?:[Tt]s|[Tt]ime(?:stamp)?|[Aa]t|[Cc]ount|[Ss]ize|[Tt]otal|[Bb]ytes|[Mm]s|[Ll]ength|[Tt]okens|[Ss]eed|"
    rb"[Cc]reated|[Uu]pdated|[Ee]xpires|[Oo]ffset|[Ee]poch|[Vv]ersion|[Pp]id)\"\s{0,3}:\s{0,3}\Z"
)
"""A key in JSON that says what its number is: no word before it makes it somebody's."""
_OF_WORDS: Final = frozenset(octet for octet in range(128) if chr(octet).isalnum()) | {0x5F}


class Cue:
    """Words whose presence near a value says what it is."""

    def __init__(
        self, words: str, *, before: int = 48, after: int = 0, denies: bool = False
    ) -> None:
        """``denies``: the words say what it is not, whatever the key before it in JSON says."""
        source = rb"(?:^|[^a-z])(?:" + words.encode("ascii") + rb")(?:[^a-z]|$)"
        self.words = Pattern(source, groups=False)
        self._before = before
        self._after = after
        self._denies = denies

    def anywhere(self, view: View) -> bool:
        """Whether one of the words is in the text at all: quicker than to look near each value."""
        return self.words.is_in(view.octets)

    def near(self, view: View, start: int, end: int) -> bool:
        """Whether one of the words stands in the same breath."""
        left = view.octets[max(0, start - self._before) : start]
        if not self._denies and is_counted(view, start):
            return False
        if self.words.is_in(left.rpartition(_STOP)[2]):
            return True
        if not self._after:
            return False
        right = view.octets[end : end + self._after].partition(_STOP)[0]
        return bool(right) and self.words.is_in(right)


def is_counted(view: View, start: int) -> bool:
    """Whether a key in JSON stands before it that counts, or tells the time."""
    if not view.has_keys:
        return False
    left = view.octets[max(0, start - 24) : start]
    return b'":' in left[-8:] and _COUNTED.search(left) is not None


def follows_word(view: View, start: int) -> bool:
    """Whether a letter, digit or underscore touches from the left."""
    if start == 0:
        return False
    before = view.octets[start - 1]
    if before == 0xFF:
        return not UNSPACED.match(view.text[start - 1])
    return before in _OF_WORDS


def precedes_word(view: View, end: int) -> bool:
    """Whether a letter, digit or underscore touches from the right."""
    if end >= len(view.octets):
        return False
    after = view.octets[end]
    if after == 0xFF:
        return not UNSPACED.match(view.text[end])
    return after in _OF_WORDS


def touches_digit(view: View, start: int, end: int) -> bool:
    """Whether more digits follow directly, or after a decimal point."""
    octets = view.octets
    if start and octets[start - 1 : start].isdigit():
        return True
    return octets[end : end + 1].isdigit()
