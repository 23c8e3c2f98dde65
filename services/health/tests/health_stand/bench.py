"""Remedies on containers, leases and swaps that behave, with a Redis that is one."""

import json
from dataclasses import dataclass, field

from redis.asyncio import Redis

from spark_common.contracts.deep_health import DeepResult
from spark_common.settings.policies import RemedySettings
from spark_common.testing.clock import FakeClock
from spark_health.deep.ports import Outcome, Place
from spark_health.remedies import keys
from spark_health.remedies.book import RemedyBook
from spark_health.remedies.remedying import Remedies
from spark_health.remedies.testing.fakes import FakeContainers, FakeLeases, FakeScene

GPU = Outcome("failing", "its GPU failed (HTTP 500)", 12.0, "gpu_error", evidence=("HTTP 500",))
FIVE_HUNDRED = Outcome("failing", "HTTP 500", 9.0, "server_error", evidence=("HTTP 500",))
BUSY = Outcome("busy", "busy", trouble="silent")
WELL = Outcome("ok", "heard 9 of 9 words", 80.0)


def place(service: str = "parakeet", container: str | None = "parakeet-asr") -> Place:
    return Place(service, service.title(), "http://127.0.0.9:1", "spark1", container)


@dataclass
class Bench:
    """One process of health, or several on the same Sparks and the same Redis."""

    redis: Redis
    clock: FakeClock = field(default_factory=FakeClock)
    policy: RemedySettings = field(default_factory=RemedySettings)
    rechecks: list[tuple[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scene = FakeScene()
        self.leases = FakeLeases(self.scene)
        self.containers = FakeContainers(self.clock)
        self.containers.start("spark1", "parakeet-asr")
        self.remedies = self.process()

    def process(self) -> Remedies:
        """Return another process of health."""
        self.book = RemedyBook(self.redis)
        return Remedies(
            book=self.book,
            containers=self.containers,
            leases=self.leases,
            scene=self.scene,
            clock=self.clock,
            policy=lambda: self.policy,
            recheck=lambda service, seconds: self.rechecks.append((service, seconds)),
        )

    async def hear(self, outcome: Outcome, at: Place | None = None) -> DeepResult:
        """Let a check come out like this."""
        one = at or place()
        result = DeepResult(state=outcome.state, sentence=outcome.sentence, at=self.clock.now())
        return await self.remedies.heard(one, result, outcome)

    async def seen(self, outcome: Outcome, at: Place | None = None) -> DeepResult:
        """The same, and a turn of the loop."""
        result = await self.hear(outcome, at)
        await self.remedies.turn()
        return result

    async def told(self) -> list[dict[str, object]]:
        """Return the events, in order."""
        return [json.loads(row)["data"] for row in await self.redis.lrange(keys.OUTBOX, 0, -1)]

    async def forget_tries(self, seconds: float) -> None:
        """Let so much time pass for the budgets, which go by Redis' own clock."""
        for key in [keys.tries("spark1/parakeet-asr"), keys.tries_of("parakeet")]:
            for member, score in await self.redis.zrange(key, 0, -1, withscores=True):
                await self.redis.zadd(key, {member: score - 1000 * seconds})

    @property
    def journal(self) -> list[tuple[str, str]]:
        return self.containers.journal
