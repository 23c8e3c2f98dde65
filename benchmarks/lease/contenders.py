"""The steps of a lease as the product does them, and the least that Redis could do for each."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from redis.asyncio import Redis

from spark_common.clock import SystemClock
from spark_common.leasing import LeaseGate, fresh_token, hash_of
from spark_coordinator.leasing.book import LeaseBook
from spark_coordinator.leasing.policy import LeasePolicy

BARE = "sc:bench:lock"
TTL_MS = 60_000
Step = Callable[[int], Awaitable[object]]
"""Carried out by the worker with this number."""


@dataclass(frozen=True)
class Pair:
    """One step, ours beside bare Redis; ``prepare`` brings either to where the step begins."""

    name: str
    bare_name: str
    ours: Step
    bare: Step
    prepare: Step
    prepare_bare: Step
    many: bool
    """Whether several workers may do it at once and all succeed."""


class Lease:
    """The product's own scripts, asked as its coordinator and its swapper ask them."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        policy = LeasePolicy(lease_seen_within_seconds=3600)
        self.book = LeaseBook(redis, lambda: policy, SystemClock(), self._floor)
        self.gate = LeaseGate(redis)
        self.token = fresh_token()
        self._numbers = itertools.count()

    async def _floor(self) -> int:
        return 0

    async def acquire(self, _: int = 0, *, wait: bool = False) -> str:
        self.token = token = fresh_token()
        number = next(self._numbers)
        answer = await self.book.acquire(
            {
                "fresh_sha256": hash_of(token),
                "request": f"r{number}",
                "ticket": f"t{number}",
                "holder": "bench",
                "reason": "",
                "ttl_ms": TTL_MS,
                "wait": wait,
                "priority": "interactive",
                "max_wait_ms": 3_600_000,
                "force": False,
                "requested_by": "bench",
            }
        )
        return answer.outcome

    async def release(self, _: int = 0) -> None:
        asked = {"token_sha256": hash_of(self.token), "force": False, "requested_by": "bench"}
        answer = await self.book.release(asked)
        assert answer.outcome == "lease"

    async def ask_gate(self, _: int = 0) -> None:
        assert (await self.gate.for_caller(self.token)).admitted

    async def refuse(self, _: int = 0) -> None:
        assert not (await self.gate.for_caller("wrong")).admitted

    async def free(self, _: int = 0) -> None:
        await self.book.release({"force": True, "requested_by": "bench"})
        await self.book.release({"force": True, "requested_by": "bench"})
        await self.redis.delete("sc:lock:outbox")

    async def held(self, _: int = 0) -> None:
        await self.free()
        assert await self.acquire() == "acquired"


class Bare:
    """``SET NX PX``, ``GET``, ``DEL``: no number, no event, no line, no proof of who releases."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis

    async def acquire(self, _: int = 0) -> None:
        assert await self.redis.set(BARE, "token", nx=True, px=TTL_MS)

    async def release(self, _: int = 0) -> None:
        assert await self.redis.delete(BARE)

    async def read(self, _: int = 0) -> None:
        assert await self.redis.get(BARE) == "token"

    async def free(self, _: int = 0) -> None:
        await self.redis.delete(BARE)

    async def held(self, _: int = 0) -> None:
        await self.redis.set(BARE, "token", px=TTL_MS)


def pairs(redis: Redis, plain: Redis) -> tuple[Pair, ...]:
    lease, bare = Lease(redis), Bare(plain)
    return (
        Pair("acquire", "SET NX PX", lease.acquire, bare.acquire, lease.free, bare.free, False),
        Pair("gate, holder", "GET", lease.ask_gate, bare.read, lease.held, bare.held, True),
        Pair("gate, refused", "GET", lease.refuse, bare.read, lease.held, bare.held, True),
        Pair("release", "DEL", lease.release, bare.release, lease.held, bare.held, False),
    )
