"""What redaction did, for an audit: no text, no value, no placeholder, no name of a caller."""

from datetime import datetime
from typing import ClassVar, Literal

from spark_common.events.message import Event

RedactionAction = Literal[
    "scrub",
    "rehydrate",
    "stream",
    "verify",
    "put_set",
    "delete_set",
    "delete_task",
    "delete_session",
    "erase",
    "purge",
]
"""What may be done with a map; also the last word of the subject."""

RedactionActor = Literal["http", "bus", "operator", "clock"]
"""By which door somebody came; ``clock``: what expired was forgotten."""


class RedactionAudited(Event):
    """Redaction did something, or refused it. Keyed digests for names, sizes rounded up."""

    type: ClassVar[str] = "redaction.audit"

    action: RedactionAction
    actor: RedactionActor
    outcome: str
    """``ok``, ``leak`` of a verification that found a value, or the code of the error."""
    tenant: str | None = None
    """A keyed digest: the same for the same tenant, and nothing that leads back to its name."""
    entity_set: str | None = None
    """A keyed digest of the name of the list of names that was used or changed."""
    profile: Literal["transcript", "crm", "strict"] | None = None
    counts_at_most: dict[str, int] = {}
    """By type, the next power of ten: how many exactly could tell which text it was."""
    bytes_at_most: int = 0
    """Of the question, the next power of ten."""
    ms: int
    at: datetime
