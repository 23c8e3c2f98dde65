"""A model of meaning that is small and honest: texts that share words are alike."""

import math
import random
import re
import zlib
from functools import lru_cache

DIMENSIONS = 1024
MAX_TOKENS = 8192
VOCABULARY = 250_002
"""Of XLM-RoBERTa, whose tokens bge-m3 weighs."""
_WORD = re.compile(r"\w+")
_FIRST_ID = 5
_LIGHT = frozenset(("a", "an", "and", "are", "in", "is", "it", "of", "on", "or", "the", "to"))


def words(text: str) -> list[str]:
    """Return the words of a text in small letters."""
    return _WORD.findall(text.casefold())


def count_tokens(text: str) -> int:
    """Return the number of tokens, begin and end included."""
    return len(words(text)) + 2


def token_id(word: str) -> int:
    """Return the number of a word in the vocabulary."""
    return _FIRST_ID + zlib.crc32(word.encode("utf-8", "surrogatepass")) % (VOCABULARY - _FIRST_ID)


def weight(word: str) -> float:
    """Return how much a word says: next to nothing, or more the longer it is."""
    return 0.02 if word in _LIGHT else min(0.35, 0.08 + 0.03 * len(word))


def dense(text: str) -> list[float]:
    """Return a vector of length one; the same for the same text."""
    total = [0.0] * DIMENSIONS
    for word in words(text) or [text]:
        share = weight(word)
        for place, value in enumerate(_direction(word)):
            total[place] += share * value
    length = math.sqrt(sum(value * value for value in total)) or 1.0
    return [value / length for value in total]


def sparse(text: str) -> dict[int, float]:
    """Return lexical weights by token, the heaviest of each kept."""
    found: dict[int, float] = {}
    for word in words(text):
        number = token_id(word)
        found[number] = max(found.get(number, 0.0), weight(word))
    return found


def relevance(query: str, document: str) -> float:
    """Return between 0 and 1 how well a document answers a query."""
    asked, there = set(words(query)), set(words(document))
    wanted = sum(weight(word) for word in asked) or 1.0
    met = sum(weight(word) for word in asked & there) / wanted
    return 1 / (1 + math.exp(6 - 12 * met + 0.02 * len(there)))


@lru_cache(maxsize=4096)
def _direction(word: str) -> tuple[float, ...]:
    source = random.Random(zlib.crc32(word.encode("utf-8", "surrogatepass")))  # noqa: S311
    return tuple(source.gauss(0.0, 1.0) for _ in range(DIMENSIONS))
