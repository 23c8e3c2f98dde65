"""A known person, company or other value, as a caller names it."""

from dataclasses import dataclass, field

from spark_redaction.scrub.folding import folded
from spark_redaction.scrub.kinds import Kind


@dataclass(frozen=True)
class Entity:
    """``key`` is what makes two entities one; without an id it is the folded value."""

    kind: Kind
    value: str = field(repr=False)
    aliases: tuple[str, ...] = field(default=(), repr=False)
    id: str | None = None

    @property
    def key(self) -> str:
        """What its placeholders' number belongs to."""
        return f"id:{self.id}" if self.id else " ".join(folded(self.value).split())
