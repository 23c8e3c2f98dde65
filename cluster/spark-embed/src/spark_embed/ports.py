"""What a model must be able to do for the server; everything else is the server's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Tokens = Sequence[int]
"""A text, or a query with a document, as the model reads it; begin and end included."""


@dataclass(frozen=True)
class Encoded:
    """A text as a dense vector of length one, and as weights by token number."""

    dense: Sequence[float]
    sparse: Mapping[int, float]


class OutOfMemoryError(Exception):
    """The batch did not fit; a smaller one may."""


class BrokenModelError(Exception):
    """The model cannot be used any more: only a new process helps."""


class Encoder(Protocol):
    """Makes vectors. Called from one thread only, never twice at a time."""

    name: str
    dimensions: int
    max_tokens: int

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text, however many."""
        ...

    def cut(self, tokens: Tokens, most: int) -> Tokens:
        """Return the beginning of a text, its end mark kept."""
        ...

    def run(self, batch: Sequence[Tokens]) -> list[Encoded]:
        """Encode. Raises OutOfMemoryError, BrokenModelError."""
        ...


class Ranker(Protocol):
    """Says how well documents answer a query. Called as an encoder is."""

    name: str
    max_tokens: int

    def pair(self, query: str, documents: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each pair; a document that is too long is cut."""
        ...

    def run(self, batch: Sequence[Tokens]) -> list[float]:
        """Return a relevance between 0 and 1 each. Raises as an encoder does."""
        ...


@dataclass(frozen=True)
class Models:
    """What is loaded."""

    encoder: Encoder
    ranker: Ranker | None
