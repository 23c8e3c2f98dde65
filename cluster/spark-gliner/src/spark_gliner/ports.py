"""What a model must be able to do for the server; everything else is the server's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Entity:
    """A stretch of a text in code points, what it is called, and how sure the model is (0 to 1)."""

    start: int
    end: int
    label: str
    score: float


class OutOfMemoryError(Exception):
    """The windows did not fit at once; fewer may."""


class BrokenModelError(Exception):
    """The model cannot be used any more: only a new process helps."""


class Tagger(Protocol):
    """Finds entities. Called from one thread only, never twice at a time."""

    name: str

    def tag(
        self, windows: Sequence[str], labels: Sequence[str], threshold: float
    ) -> list[list[Entity]]:
        """Return the entities of each window. Raises OutOfMemoryError, BrokenModelError."""
        ...
