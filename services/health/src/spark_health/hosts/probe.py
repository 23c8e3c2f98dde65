"""A Spark as a target of the watch: whether it answers now, and what its hardware said last."""

from pydantic import JsonValue

from spark_common.clock import Clock
from spark_health.hosts.asking import Answer, Asking
from spark_health.hosts.looking import ANSWERED, HardwareWatch
from spark_health.hosts.sight import Sight
from spark_health.settings import WatchPace
from spark_health.watching.judge import MISSES
from spark_health.watching.ports import Sighting, Target


class SparkProbe:
    """Looks more often than at services: what runs on a Spark is judged by it.

    After a miss it looks again soon. Misses are apart all the same, so that a hiccup of the
    network is one or two of them and never the third.
    """

    def __init__(
        self, asking: Asking, hardware: HardwareWatch, clock: Clock, pace: WatchPace
    ) -> None:
        host = asking.host
        self.target = Target(host.name, "host", host.label, url=f"ssh://{host.address}")
        self.every_seconds = pace.host_seconds
        self._asking = asking
        self._hardware = hardware
        self._clock = clock
        self._pace = pace
        self._misses = 0
        self._poor_at = float("-inf")

    async def look(self) -> Sighting:
        """Ask, and say what the answer and the latest reading of the hardware amount to."""
        began = self._clock.monotonic()
        answer = await self._asking.ask()
        sight = self._hardware.sights[self.target.name]
        match answer.answering:
            case "well":
                self._misses = 0
                return self._answered(answer, sight)
            case "hung" if sight.answering in ANSWERED and (sight.looked_mono or 0.0) > began:
                # It answered somebody else meanwhile: no reason to call it hung.
                self._misses = 0
                reason = sight.reason or f"{sight.host.label} is very busy."
                return Sighting("busy", reason, self._clock.now(), _facts(sight))
            case "hung" | "dead":
                return self._missed(answer, self._clock.monotonic() - began)
            case "refused":
                self._misses = 0
                return Sighting("degraded", answer.reason, self._clock.now())
            case _:
                return Sighting("unknown", answer.reason, self._clock.now())

    def _answered(self, answer: Answer, sight: Sight) -> Sighting:
        now, facts = self._clock.now(), _facts(sight) | {"ssh_ms": answer.ms}
        match sight.answering:
            case "partly":
                mono = self._clock.monotonic()
                if mono - self._poor_at < self._pace.health_look_seconds:
                    # There are more looks than readings: none counts again at once.
                    return Sighting("unknown", sight.reason, now)
                self._poor_at = mono
                return Sighting("degraded", sight.reason, now, facts)
            case "slow":
                return Sighting("busy", sight.reason, now, facts)
            case _:
                return Sighting("up", "", now, facts)

    def _missed(self, answer: Answer, took: float) -> Sighting:
        self._misses += 1
        again = None
        if self._misses >= MISSES:
            self._hardware.found_silent(self.target.name, answer.answering, answer.reason)
        else:
            again = max(self._pace.again_least_seconds, self._pace.again_seconds - took)
        facts: dict[str, JsonValue] = {"answering": answer.answering}
        return Sighting("down", answer.reason, self._clock.now(), facts, again)


def _facts(sight: Sight) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    moving = sight.moving
    if moving.memory is not None:
        found["memory_available"] = moving.memory.available
    if moving.gpu is not None and moving.gpu.percent is not None:
        found["gpu_percent"] = moving.gpu.percent
    return found
