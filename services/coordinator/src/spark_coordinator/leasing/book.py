"""The lease in Redis, asked by script; what a lost reply leaves in doubt is asked again."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError, ResponseError

from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.leasing import LeaseScripts, keys
from spark_common.leasing.gate import AWAY
from spark_common.settings.policies import LeasePolicy
from spark_coordinator.leasing.answers import Answer

_TRIES = 3
_AGAIN_SECONDS = 0.1
_log = structlog.get_logger()


class LeaseBook:
    """Runs one script per question, under the policy of the moment."""

    def __init__(
        self,
        redis: Redis,
        policy: Callable[[], LeasePolicy],
        clock: Clock,
        floor: Callable[[], Awaitable[int]],
        scripts: LeaseScripts | None = None,
    ) -> None:
        """``floor`` is asked for the highest number of a lease that anybody remembers."""
        self._scripts = scripts or LeaseScripts(redis)
        self._policy = policy
        self._clock = clock
        self._floor = floor
        self._highest: int | None = None
        """Number of a lease that was seen here or told before; None before the first question."""

    async def acquire(self, asked: dict[str, Any]) -> Answer:
        """Take, extend, take up, or stand in line. Raises UnavailableError, as all of these."""
        return await self._ask(self._scripts.acquire, asked)

    async def release(self, asked: dict[str, Any]) -> Answer:
        """Give back."""
        return await self._ask(self._scripts.release, asked)

    async def look(self, asked: dict[str, Any]) -> Answer:
        """Return how it stands, and be seen."""
        return await self._ask(self._scripts.look, asked)

    async def ask_to_yield(self, asked: dict[str, Any]) -> Answer:
        """Leave a request to the holder."""
        return await self._ask(self._scripts.ask_to_yield, asked)

    async def tick(self) -> Answer:
        """Let time act, and tell of what is about to end."""
        return await self._ask(self._scripts.tick, {"looks": True})

    async def drained(self, epoch: int, *, cut: bool) -> Answer:
        """Say that nothing of an ended lease runs any more (or is waited for no longer)."""
        return await self._ask(self._scripts.drained, {"epoch": epoch, "cut": cut})

    async def _ask(self, script: AsyncScript, asked: dict[str, Any]) -> Answer:
        """Ask; the same question again is harmless."""
        known = {name: value for name, value in asked.items() if value is not None}
        text = json.dumps(known, ensure_ascii=False)
        if self._highest is None:
            await self._number()
        answer = await self._patiently(script, text)
        if answer.outcome == "unnumbered":
            await self._number()
            answer = await self._patiently(script, text)
        if answer.outcome == "unnumbered":
            raise UnavailableError(AWAY)
        self._saw(answer.epoch)
        return answer

    async def _number(self) -> None:
        """Lift the counter to what is remembered: Redis may be new, or put back to an old copy."""
        floor = max(await self._floor(), self._highest or 0)
        self._saw(int(await self._reply(self._scripts.number, keys.NUMBER, [str(floor)])))
        _log.info("lease.numbered", floor=floor)

    def _saw(self, epoch: int) -> None:
        self._highest = max(epoch, self._highest or 0)

    async def _patiently(self, script: AsyncScript, asked: str) -> Answer:
        terms = json.dumps({**self._policy().terms(), "floor": self._highest or 0})
        return Answer.read(await self._reply(script, keys.BOOK, [asked, terms]))

    async def _reply(self, script: AsyncScript, names: tuple[str, ...], args: Any) -> Any:
        for attempt in range(1, _TRIES + 1):
            try:
                return await script(keys=names, args=args)
            except ResponseError as error:
                _log.exception("lease.script_failed")
                raise UnavailableError(
                    "the reservation cannot be read: the coordinator's log says why"
                ) from error
            except (RedisError, OSError, TimeoutError) as error:
                if attempt == _TRIES:
                    raise UnavailableError(AWAY) from error
            await self._clock.sleep(_AGAIN_SECONDS)
        raise AssertionError("unreachable")  # pragma: no cover
