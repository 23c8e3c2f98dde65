"""What the desk wants of whoever looks for unknown names."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from spark_common.errors import UnavailableError


class NoAnswerError(UnavailableError):
    """Whoever is asked is there and gives no answer that can be used."""


class CutShortError(NoAnswerError):
    """The answer was longer than one may be; less text has a shorter one."""


class Said(NamedTuple):
    """One thing a model calls a name: its own word for the type, and the string."""

    type: str
    text: str


class Name(NamedTuple):
    """A string that stands in the text as it is, and the type of placeholder it gets."""

    kind: str
    text: str


@dataclass(frozen=True)
class Found:
    """What came of one text."""

    names: tuple[Name, ...] = field(repr=False)
    parts: int
    """Pieces that the text had to be cut into."""
    read: int
    """Of these, the ones that were answered for."""


class Reader(Protocol):
    """Reads a piece of text and says which names are in it."""

    async def model(self) -> str | None:
        """Return which model would read; None when there is none.

        Raises NoAnswerError when somebody is there who does not say.
        """
        ...

    async def read(self, model: str, piece: str, kinds: Sequence[str]) -> list[Said]:
        """Return what the model says of a piece, unchecked; raises NoAnswerError."""
        ...


class NameFinder(Protocol):
    """Looks through a whole text."""

    def is_set_up(self) -> bool:
        """Whether the owner wants it asked; where not, nothing is missing."""
        ...

    async def model(self) -> str | None:
        """As of ``Reader``."""
        ...

    async def find(self, model: str, tenant: str, text: str, *, strict: bool) -> Found:
        """Look until it is done or the time is over; never raises for want of an answer."""
        ...
