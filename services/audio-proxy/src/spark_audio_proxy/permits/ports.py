"""The words of the permits: what is asked for, what is held, who decides."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypeAlias

Kind: TypeAlias = Literal["hearing", "speaking"]
"""Speech to text and what goes with it; text to speech. Each has a limit, both share a ceiling."""
KINDS: Final[tuple[Kind, ...]] = ("hearing", "speaking")
Urgency: TypeAlias = Literal["interactive", "normal", "batch"]
RANKS: Final[dict[Urgency, int]] = {"interactive": 0, "normal": 1, "batch": 2}
INTERACTIVE_SECONDS: Final = 30.0
"""A recording up to this long has somebody who waits for it."""


@dataclass(frozen=True)
class Ask:
    """One call to a speech server that wants to be made."""

    kind: Kind
    urgency: Urgency
    client: str
    """Whose turn it takes; a digest, never a key or a name."""
    seconds: float
    """Of sound in the call, for honest estimates."""
    lease_seconds: float
    """The call is over by then, whatever happens."""
    wait_seconds: float | None = None
    """How long it may wait; as the owner set it unless given."""


@dataclass
class Permit:
    """The right to make one call. ``busy`` says whether the server may be working on it."""

    id: str
    ask: Ask
    ends_at: float
    """By the monotonic clock of this process."""
    waited_seconds: float = 0.0
    busy: bool = False
    """Set before the first byte is sent, unset when the answer is there. A permit that is given
    back busy is held until the server is idle again."""
    idle: "Callable[[float], Awaitable[bool]] | None" = field(default=None, repr=False)
    """Asks the server whether it is done with a call that was left so many seconds ago."""


@dataclass(frozen=True)
class Want:
    """The first of a replica's line for one kind."""

    id: str
    kind: Kind
    rank: int
    waited_seconds: float
    lease_seconds: float


@dataclass(frozen=True)
class Held:
    """A permit that is in use, or drains."""

    id: str
    kind: Kind
    left_seconds: float


@dataclass(frozen=True)
class Limits:
    """How many calls may be under way at once."""

    hearing: int
    ceiling: int

    def of(self, kind: Kind) -> int:
        """Return the limit of a kind alone."""
        return self.hearing if kind == "hearing" else max(1, self.ceiling - 1)


@dataclass(frozen=True)
class Verdict:
    """What the gate said."""

    granted: bool
    in_use: int
    others_waiting: int
    """Calls that wait at other replicas."""


class Gate(Protocol):
    """Counts the permits of all replicas together."""

    async def turn(
        self,
        want: Want | None,
        *,
        held: Sequence[Held],
        freed: Sequence[str],
        waiting: int,
        limits: Limits,
    ) -> Verdict:
        """Give back what is freed, confirm what is held, and ask for one more.

        ``waiting``: how many calls of that kind wait here, the first included.

        Raises UnavailableError when nobody can say; then nothing is granted or lost.
        """
        ...
