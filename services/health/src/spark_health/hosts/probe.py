"""A Spark as a target of the watch: its last answer counts, and where there is none it is asked."""

from collections.abc import Callable

from pydantic import JsonValue

from spark_common.clock import Clock
from spark_health.hosts.sight import Sight
from spark_health.watching.ports import Probe, Sighting, Target

_ANSWERED = frozenset({"well", "slow", "partly"})


class SparkProbe:
    """One round trip per interval while all is well; the plain probe when it is not."""

    def __init__(self, plain: Probe, sight: Callable[[], Sight], clock: Clock) -> None:
        self._plain = plain
        self._sight = sight
        self._clock = clock

    @property
    def target(self) -> Target:
        """The Spark."""
        return self._plain.target

    @property
    def every_seconds(self) -> float:
        """As often as the plain probe."""
        return self._plain.every_seconds

    async def look(self) -> Sighting:
        """Take the numbers that were just read, or ask; a slow Spark is busy, not down."""
        sight = self._sight()
        if sight.answering in _ANSWERED and self._just(sight):
            return self._seen(sight)
        seen = await self._plain.look()
        sight = self._sight()
        if seen.state == "down" and sight.answering == "hung":
            return Sighting("down", sight.reason, seen.seen_at)
        if seen.state == "up" and sight.answering == "partly":
            return Sighting("degraded", sight.reason, seen.seen_at, seen.facts)
        return seen

    def _just(self, sight: Sight) -> bool:
        if sight.read_mono is None or sight.looked_mono is None:
            return False
        return self._clock.monotonic() - sight.looked_mono <= 1.5 * self.every_seconds

    def _seen(self, sight: Sight) -> Sighting:
        at = sight.read_at or self._clock.now()
        match sight.answering:
            case "partly":
                return Sighting("degraded", sight.reason, at, _facts(sight))
            case "slow":
                return Sighting("busy", sight.reason, at, _facts(sight))
            case _:
                return Sighting("up", "", at, _facts(sight))


def _facts(sight: Sight) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {"ssh_ms": sight.ms}
    moving = sight.moving
    if moving.memory is not None:
        found["memory_available"] = moving.memory.available
    if moving.gpu is not None and moving.gpu.percent is not None:
        found["gpu_percent"] = moving.gpu.percent
    return found
