"""Budgets, claims and circuits in Redis: every decision is one script there."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from spark_common.clock import Clock
from spark_common.ids import new_id
from spark_common.jobs.keys import live
from spark_common.redis_access import asked
from spark_common.tasks import end
from spark_health.remedies import keys
from spark_health.remedies.record import Circuit, Claim
from spark_health.remedies.scripts import CLAIM, FINISH, KEEP, LET_GO, SUGGEST

MOST = 3
WINDOW_SECONDS = 1800.0
REST_SECONDS = 120.0
_OWNER_SECONDS = 10.0
"""After this time without a sign of life a claim is free for others to carry on."""
_AWAY = "nothing is restarted: its budget cannot be read, Redis is away"

_JOBS = {
    "overlay": "the files of the speech container are being replaced",
    "install": "an installation is at work",
}

Word: TypeAlias = Literal["claimed", "open", "opened", "rest", "free", "yours"]


@dataclass(frozen=True)
class Ruling:
    """What the budget says."""

    word: Word
    wait_seconds: float
    restarts: int


class RemedyBook:
    """Everything raises UnavailableError while Redis is away: then nobody acts."""

    def __init__(self, redis: Redis, most: int = MOST) -> None:
        self._redis = redis
        self._most = most
        self._mine = new_id()
        self._claim = redis.register_script(CLAIM)
        self._finish = redis.register_script(FINISH)
        self._suggest = redis.register_script(SUGGEST)
        self._keep = redis.register_script(KEEP)
        self._let_go = redis.register_script(LET_GO)

    async def may(self, claim: Claim) -> Ruling:
        """Say what ``claim`` would be answered; changes nothing."""
        return await self._ask(claim, look=True)

    async def claim(self, claim: Claim, gave_up: dict[str, Any]) -> Ruling:
        """Take the right to this restart, counted from now; ``yours`` or why not.

        Where the budget is used up the circuit opens, and ``gave_up`` is told, once.
        """
        return await self._ask(claim, gave_up=gave_up)

    async def _ask(
        self, claim: Claim, *, look: bool = False, gave_up: dict[str, Any] | None = None
    ) -> Ruling:
        circuit = Circuit(
            since=claim.at, reason=claim.reason, evidence=claim.evidence, services=claim.services
        )
        answer = self._claim(
            keys=[
                keys.CLAIMS,
                keys.owner(claim.key),
                keys.circuit(claim.key),
                keys.OUTBOX,
                *_tries(claim),
            ],
            args=[
                claim.key,
                self._mine,
                claim.model_dump_json(),
                claim.id,
                _ms(WINDOW_SECONDS),
                self._most,
                _ms(REST_SECONDS),
                _ms(_OWNER_SECONDS),
                "1" if look else "0",
                circuit.model_dump_json(),
                json.dumps(gave_up or {}),
            ],
        )
        word, wait_ms, count = await asked(answer, _AWAY)
        return Ruling(word, int(wait_ms) / 1000, int(count))

    async def begin(self, claim: Claim) -> bool:
        """Take the right to a restart that a person pressed: it counts for no budget."""
        took = self._redis.hsetnx(keys.CLAIMS, claim.key, claim.model_dump_json())
        return bool(await asked(took, _AWAY)) and await self.adopt(claim)

    async def finish(self, claim: Claim, event: dict[str, Any] | None, *, refund: bool) -> bool:
        """End a claim and put what is told of it into the outbox; once for each claim."""
        answer = self._finish(
            keys=[
                keys.CLAIMS,
                keys.owner(claim.key),
                keys.OUTBOX,
                keys.last(claim.key),
                *_tries(claim),
            ],
            args=[
                claim.key,
                claim.id,
                "" if event is None else json.dumps(event),
                "1" if refund else "0",
            ],
        )
        return bool(await asked(answer, _AWAY))

    async def claims(self) -> list[Claim]:
        """Return the restarts that were decided and are not over."""
        rows = await asked(self._redis.hgetall(keys.CLAIMS), _AWAY)
        found = []
        for key, text in rows.items():
            try:
                found.append(Claim.model_validate_json(text))
            except ValidationError:
                # Nobody can carry it on; it must not block the container for ever.
                await asked(self._redis.hdel(keys.CLAIMS, key), _AWAY)
        return found

    async def adopt(self, claim: Claim) -> bool:
        """Work on a claim that nobody works on any more."""
        took = self._redis.set(keys.owner(claim.key), self._mine, nx=True, px=_ms(_OWNER_SECONDS))
        return bool(await asked(took, _AWAY))

    @asynccontextmanager
    async def at_work(self, claim: Claim, clock: Clock) -> AsyncIterator[None]:
        """Show inside that this process works on a claim of its own."""
        beating = asyncio.create_task(self._beat(claim, clock))
        try:
            yield
        finally:
            await end([beating])

    async def _beat(self, claim: Claim, clock: Clock) -> None:
        while True:
            await clock.sleep(_OWNER_SECONDS / 5)
            with suppress(RedisError, OSError, TimeoutError):
                await self._keep(
                    keys=[keys.owner(claim.key)], args=[self._mine, _ms(_OWNER_SECONDS)]
                )

    async def let_go(self, claim: Claim) -> None:
        """Leave a claim to whoever looks next."""
        await asked(self._let_go(keys=[keys.owner(claim.key)], args=[self._mine]), _AWAY)

    async def suggest(self, key: str, at: datetime, event: dict[str, Any]) -> bool:
        """Tell a suggestion, once until it is taken up or not needed any more."""
        answer = self._suggest(
            keys=[keys.suggested(key), keys.OUTBOX], args=[at.isoformat(), json.dumps(event)]
        )
        return bool(await asked(answer, _AWAY))

    async def heal(self, key: str) -> None:
        """Forget an open circuit and a suggestion: it works again, or a person pressed."""
        await asked(self._redis.delete(keys.circuit(key), keys.suggested(key)), _AWAY)

    async def circuit(self, key: str) -> Circuit | None:
        """Return the open circuit of a container."""
        text = await asked(self._redis.get(keys.circuit(key)), _AWAY)
        try:
            return Circuit.model_validate_json(text) if text else None
        except ValidationError:
            return Circuit(since=datetime.fromtimestamp(0, UTC), reason="its record cannot be read")

    async def job_at_work(self) -> str | None:
        """Say which job works on containers now: it restarts them itself."""
        for kind, what in _JOBS.items():
            if await asked(self._redis.zcard(live(kind)), _AWAY):
                return what
        return None

    async def last(self, key: str) -> datetime | None:
        """Return when a restart of a container was over last, if within half an hour."""
        text = await asked(self._redis.get(keys.last(key)), _AWAY)
        return datetime.fromtimestamp(int(text) / 1000, UTC) if text else None

    async def tries(self, key: str) -> list[float]:
        """Return the moments of the automatic restarts within the window (epoch s), in order."""
        seconds, micros = await asked(self._redis.time(), _AWAY)
        since = 1000 * (seconds + micros / 1e6 - WINDOW_SECONDS)
        rows = await asked(
            self._redis.zrangebyscore(keys.tries(key), since, "+inf", withscores=True), _AWAY
        )
        return [float(score) / 1000 for _, score in rows]


def _tries(claim: Claim) -> Sequence[str]:
    return [keys.tries(claim.key), *(keys.tries_of(one) for one in claim.services)]


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
