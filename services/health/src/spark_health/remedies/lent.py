"""Leases that health holds, written down: whoever comes after a killed process gives them back."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from secrets import token_bytes
from typing import Any, Final

import structlog
from pydantic import SecretStr
from redis.asyncio import Redis

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.contracts.leases import HOLDER_FOR_RESTARTS, RELEASE_LEASE, ReleaseLease
from spark_common.errors import LeaseHeldError, SparkError, UnavailableError
from spark_common.leasing import token_for
from spark_common.redis_access import asked
from spark_common.tasks import end
from spark_health.remedies import keys

SIGN_SECONDS: Final = 10.0
"""A lease without a sign of life for this long is that of a process that is gone."""
ASK_SECONDS: Final = 4.0
_TURN_SECONDS: Final = 2.0
_AWAY: Final = "what is held cannot be written down: Redis is away"
_log = structlog.get_logger()

_SIGN = """
-- KEYS lent; ARGV order, 'only' while it is still written down
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if ARGV[2] == 'only' then return redis.call('ZADD', KEYS[1], 'XX', now, ARGV[1]) end
return redis.call('ZADD', KEYS[1], now, ARGV[1])
"""
_QUIET = """
-- KEYS lent; ARGV ms -> orders without a sign of life for so long
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
-- Redis' clock was set back: nothing stays in the future for ever.
for _, order in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now + ARGV[1], '+inf')) do
  redis.call('ZADD', KEYS[1], now, order)
end
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
"""


class OrderKeys:
    """The secret of each order: every process of health has the same for the same one."""

    def __init__(self, seed: str | None = None) -> None:
        """``seed``: a secret of every process of health; without one, of this process alone."""
        self._seed = seed.encode() if seed else token_bytes(32)

    def key(self, order: str) -> SecretStr:
        """Return what is given with the order, so that a repeat of it is the same lease."""
        digest = hmac.new(self._seed, f"restart {order}".encode(), "sha256")
        return SecretStr(digest.hexdigest())

    def token(self, order: str) -> SecretStr:
        """Return the token that comes of it."""
        return SecretStr(token_for(self.key(order).get_secret_value(), HOLDER_FOR_RESTARTS))


class LentBook:
    """Orders for which the lease is asked for or held. Raises UnavailableError.

    One for the whole process: it knows what is held here.
    """

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._sign = redis.register_script(_SIGN)
        self._quiet = redis.register_script(_QUIET)
        self._here: set[str] = set()

    @asynccontextmanager
    async def noted(self, order: str) -> AsyncIterator[None]:
        """Have an order written down inside, with signs of life."""
        await asked(self._sign(keys=[keys.LENT], args=[order, ""]), _AWAY)
        self._here.add(order)
        living = asyncio.create_task(self._live(order))
        try:
            yield
        finally:
            self._here.discard(order)
            await end([living])
            with suppress(UnavailableError):
                await self.drop(order)

    async def quiet(self) -> Collection[str]:
        """Return the orders of processes that are gone; of this one Redis may have heard late."""
        found: list[str] = await asked(
            self._quiet(keys=[keys.LENT], args=[round(1000 * SIGN_SECONDS)]), _AWAY
        )
        return [order for order in found if order not in self._here]

    async def drop(self, order: str) -> None:
        """Forget an order: nothing is held for it."""
        await asked(self._redis.zrem(keys.LENT, order), _AWAY)

    async def _live(self, order: str) -> None:
        while True:
            await self._clock.sleep(SIGN_SECONDS / 5)
            with suppress(UnavailableError):
                await asked(self._sign(keys=[keys.LENT], args=[order, "only"]), _AWAY)


class LentReturns:
    """Gives back what a process that is gone held, unless somebody carries its restart on."""

    def __init__(
        self,
        lent: LentBook,
        bus: Bus,
        orders: OrderKeys,
        clock: Clock,
        carried: Callable[[], Awaitable[Collection[Any]]],
    ) -> None:
        """``carried``: restarts that were begun and are not over (each with its ``id``)."""
        self._lent = lent
        self._bus = bus
        self._orders = orders
        self._clock = clock
        self._carried = carried

    async def run(self) -> None:
        """Give back for ever."""
        while True:
            try:
                await self.turn()
            except SparkError as error:
                _log.debug("remedy.lease_not_looked_for", reason=error.message)
            await self._clock.sleep(_TURN_SECONDS)

    async def turn(self) -> None:
        """Look once. Raises SparkError."""
        quiet = set(await self._lent.quiet())
        if not quiet:
            return
        # Whoever carries a restart on needs its lease, and gives it back.
        for order in sorted(quiet - {one.id for one in await self._carried()}):
            await self._give_back(order)
            await self._lent.drop(order)

    async def _give_back(self, order: str) -> None:
        request = ReleaseLease(token=self._orders.token(order), requested_by=HOLDER_FOR_RESTARTS)
        try:
            gone = await self._bus.call(RELEASE_LEASE, request, timeout_seconds=ASK_SECONDS)
        except LeaseHeldError:
            return
        if gone.released != "nothing":
            _log.warning("remedy.lease_given_back", order=order)
