"""Whether a name that is also a word is meant as the word here."""

import re
from typing import Final

from spark_redaction.scrub.names.common import BEFORE_MONTH, FOLLOWS_VERB
from spark_redaction.scrub.view import View

_MONTHS: Final = frozenset(["april", "may", "june", "july", "august", "march"])
_NEXT: Final = re.compile(r"[ \t]+([a-z0-9']+)")
_PREVIOUS: Final = re.compile(r"([a-z0-9']+)[ \t]+\Z")
_SENTENCE: Final = re.compile(r"(?:\A|[.!?:;\"(\[\n>*•-]\s*)\Z")


def reads_as_word(view: View, start: int, end: int) -> bool:
    """Lower case always does; a capital does not, unless the sentence brings its own reason."""
    written = view.text[start:end]
    low = view.lower[start:end]
    if written[0] == low[0] and written[0].isalpha() and low[0].isascii():
        return True
    following = _NEXT.match(view.lower, end)
    word = following[1] if following else ""
    if low in _MONTHS:
        preceding = _PREVIOUS.search(view.lower[max(0, start - 16) : start])
        if word[:1].isdigit() or (
            preceding and preceding[1] in BEFORE_MONTH | {"1st", "2nd", "3rd"}
        ):
            return True
        if preceding and preceding[1].rstrip("stndrh").isdigit():
            return True
    if len(written) > 1 and written.isupper():
        around = view.text[max(0, start - 24) : start] + view.text[end : end + 24]
        letters = [character for character in around if character.isalpha()]
        return len(letters) > 4 and all(character.isupper() for character in letters)
    begins = _SENTENCE.search(view.text[max(0, start - 4) : start]) is not None
    return begins and word in FOLLOWS_VERB
