"""Whether a transcript holds the words that were said, whatever its spelling and punctuation."""

import re
import unicodedata
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def words_of(text: str) -> list[str]:
    """Return the words of a text: lower case, without accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return [word.replace("'", "") for word in _WORD.findall(plain.casefold())]


def heard(expected: Sequence[str], text: str) -> int:
    """Return how many of the expected words a transcript has, in their order."""
    said = words_of(text)
    # The longest common subsequence: a word too many or too few costs only itself.
    row = [0] * (len(said) + 1)
    for word in expected:
        before = 0
        for at, other in enumerate(said, 1):
            before, row[at] = row[at], before + 1 if word == other else max(row[at], row[at - 1])
    return row[-1]
