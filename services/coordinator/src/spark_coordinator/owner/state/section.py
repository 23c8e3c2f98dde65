"""What a part of the product brings along to be exported and imported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from pydantic import JsonValue

Entry: TypeAlias = dict[str, JsonValue]
SectionName: TypeAlias = Literal[
    "schedules", "webhooks", "custom_services", "api_keys", "maintenance"
]
"""A field of the document."""


@dataclass(frozen=True)
class Exported:
    """What one part has. Secrets are apart: they are sealed, or left out."""

    entries: Sequence[Entry] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By a name that the same part recognises when it takes them in."""


@dataclass(frozen=True)
class TakenIn:
    """What an import did with one part."""

    entries: int = 0
    secrets: int = 0
    warnings: Sequence[str] = ()
    """What could not be taken in, one sentence each, never a secret."""


class StateSection(Protocol):
    """One part of the state. Entries have ids: taking one in twice is taking it in once."""

    @property
    def name(self) -> SectionName:
        """The part of the document."""
        ...

    async def export(self) -> Exported:
        """Return all of it. Raises UnavailableError while it cannot be read."""
        ...

    async def take_in(
        self, entries: Sequence[Entry], secrets: Mapping[str, str], requested_by: str
    ) -> TakenIn:
        """Save entries, replacing what has the same id; an entry without its secret keeps the one
        that is there. Raises UnavailableError; repeating is harmless then."""
        ...
