"""Random models so small that they need nothing but Python: for tests, and to try the server."""

import math
import random
import re
import zlib
from collections.abc import Sequence

from spark_embed.ports import Encoded, Models, Tokens

_VOCABULARY = 800
_BEGIN, _END = 0, 2
_FIRST = 4
_WORD = re.compile(r"\w+|[^\w\s]")


class TinyEncoder:
    """A table of random vectors, one layer, the first token's place as the vector of the text."""

    name = "tiny"

    def __init__(self, dimensions: int = 32, max_tokens: int = 512, seed: int = 1) -> None:
        source = random.Random(seed)  # noqa: S311 - no secret
        self.dimensions = dimensions
        self.max_tokens = max_tokens
        self._table = [[source.gauss(0, 1) for _ in range(dimensions)] for _ in range(_VOCABULARY)]
        self._layer = [
            [source.gauss(0, dimensions**-0.5) for _ in range(dimensions)]
            for _ in range(dimensions)
        ]
        self.batches: list[int] = []
        """How many texts went through at a time."""

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Return a number per word."""
        return [[_BEGIN, *map(_number, _WORD.findall(text.casefold())), _END] for text in texts]

    def cut(self, tokens: Tokens, most: int) -> Tokens:
        """Return the beginning of a text."""
        return tokens if len(tokens) <= most else [*tokens[: most - 1], tokens[-1]]

    def run(self, batch: Sequence[Tokens]) -> list[Encoded]:
        """Encode each text for itself: company changes nothing."""
        self.batches.append(len(batch))
        return [self._encode(tokens) for tokens in batch]

    def _encode(self, tokens: Tokens) -> Encoded:
        mean = [
            sum(self._table[token][place] for token in tokens) / len(tokens)
            for place in range(self.dimensions)
        ]
        out = [math.tanh(sum(w * x for w, x in zip(row, mean, strict=True))) for row in self._layer]
        length = math.sqrt(sum(value * value for value in out)) or 1.0
        sparse = {
            token: max(0.0, sum(self._table[token][:4]) / 8 + 0.3)
            for token in tokens
            if token >= _FIRST
        }
        return Encoded(
            [value / length for value in out],
            {token: weight for token, weight in sparse.items() if weight > 0},
        )


class TinyRanker:
    """Counts the words that query and document share."""

    name = "tiny-rerank"

    def __init__(self, max_tokens: int = 512) -> None:
        self.max_tokens = max_tokens

    def pair(self, query: str, documents: Sequence[str]) -> list[Tokens]:
        """Return query and document with a mark between."""
        asked = [_number(word) for word in _WORD.findall(query.casefold())]
        pairs: list[Tokens] = []
        for document in documents:
            read = [_number(word) for word in _WORD.findall(document.casefold())]
            pairs.append([_BEGIN, *asked, _END, _END, *read, _END][: self.max_tokens])
        return pairs

    def run(self, batch: Sequence[Tokens]) -> list[float]:
        """Return the share of the query's words that are in the document."""
        scores = []
        for tokens in batch:
            middle = list(tokens).index(_END)
            asked, read = set(tokens[1:middle]), set(tokens[middle + 2 :])
            scores.append(len(asked & read) / (len(asked) or 1))
        return scores


def tiny_models(*, rerank: bool = True) -> Models:
    """Return both."""
    return Models(TinyEncoder(), TinyRanker() if rerank else None)


def _number(word: str) -> int:
    return _FIRST + zlib.crc32(word.encode()) % (_VOCABULARY - _FIRST)
