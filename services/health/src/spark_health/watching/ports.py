"""What everybody who sees something hands over: a target, a look at it, what was seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from pydantic import JsonValue

from spark_common.contracts.health import TargetKind

Seen: TypeAlias = Literal["up", "idle", "busy", "degraded", "down", "unknown"]
"""What one look found. ``idle`` (nothing to do) and ``busy`` (too much to answer) are well;
``unknown`` is a look that could not tell, which is no miss and no good look either."""


@dataclass(frozen=True)
class Target:
    """Something that is watched."""

    name: str
    """Unique, one word of a subject: ``spark1``, ``parakeet``, ``my-service``."""
    kind: TargetKind
    label: str
    """For people: ``Spark 1``, ``Speech to text``."""
    host: str | None = None
    """The target it runs on (``spark1``): when that is down, this one follows without a word."""
    url: str | None = None
    """Its own address for clients on the network, without a secret."""


@dataclass(frozen=True)
class Sighting:
    """What one look found. ``facts`` are few, small and fit for everybody's eyes."""

    state: Seen
    reason: str
    """One plain sentence; empty where there is nothing to say."""
    seen_at: datetime
    """When the target answered, or was asked in vain."""
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    again_seconds: float | None = None
    """Look again after this rest, where that is sooner than the usual one."""


class Probe(Protocol):
    """One way to look at one target."""

    @property
    def target(self) -> Target:
        """What it looks at; may change its address between two looks, not its name."""
        ...

    @property
    def every_seconds(self) -> float:
        """How long to rest between two looks."""
        ...

    async def look(self) -> Sighting:
        """Look once, in a time it bounds itself (it is cut off after 20 s).

        Raises nothing: whoever cannot tell answers ``unknown`` with the reason.
        """
        ...
