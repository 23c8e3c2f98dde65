"""What recovery needs of the world, in memory: shared standing, a health service, a server."""

from collections import Counter
from dataclasses import dataclass, field

from spark_audio_proxy.recovery.ports import DeepSight
from spark_audio_proxy.recovery.standing import Standing, Word
from spark_common.errors import UnavailableError


@dataclass
class MemoryStanding:
    """Keeps the promises of ``RedisStanding`` for all replicas that have it."""

    standing: Standing = field(default_factory=Standing)
    counts: Counter[str] = field(default_factory=Counter)
    away: bool = False

    def _require(self) -> None:
        if self.away:
            raise UnavailableError("Redis does not answer")

    async def read(self) -> Standing:
        """Return it."""
        self._require()
        return self.standing

    async def change(self, before: Standing, after: Standing) -> bool:
        """Write if it still stands as ``before``."""
        self._require()
        if self.standing != before:
            return False
        self.standing = after
        return True

    async def count_wedge(self, culprit: str) -> int:
        """Count."""
        self._require()
        self.counts[culprit] += 1
        return self.counts[culprit]

    async def wedges(self, culprit: str) -> int:
        """Return the count."""
        self._require()
        return self.counts[culprit]


@dataclass
class MemoryHealth:
    """A health service that is asked, and says what a test wants."""

    orders: list[str] = field(default_factory=list)
    check: DeepSight | None = None
    away: bool = False

    async def order_check(self, episode: str, reason: str) -> None:
        """Take an order."""
        self.orders.append(episode)

    async def latest_check(self) -> DeepSight | None:
        """Return the newest check."""
        if self.away:
            raise UnavailableError("the event bus does not answer")
        return self.check


@dataclass
class MemoryServer:
    """A speech server that says one word of itself."""

    says: Word = "ready"

    async def word(self) -> Word:
        """Say it."""
        return self.says


@dataclass
class Heralds:
    """Keeps what is told."""

    suspects: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)

    async def suspect(self, standing: Standing) -> None:
        """Keep it."""
        self.suspects.append(standing.episode)

    async def state(self, before: Standing, after: Standing) -> None:
        """Keep it."""
        self.states.append(after.state)
