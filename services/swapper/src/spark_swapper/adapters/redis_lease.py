"""The lease as the swapper sees it: one read, compared here, refused when in doubt."""

import hashlib
import hmac

from redis.asyncio import Redis

from spark_common.redis_access import asked
from spark_swapper import keys
from spark_swapper.records.store import Gate


class RedisLeaseGate:
    """Reads the lease and its epoch in one transaction."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def for_caller(self, token: str | None) -> Gate:
        """Say whether a caller with this token may swap now, and under which epoch."""
        stored, holder, fence, remaining, epoch = await self._read()
        if stored is None:
            return Gate(admitted=True, epoch=epoch)
        given = hashlib.sha256((token or "").encode()).hexdigest()
        admitted = token is not None and hmac.compare_digest(given.encode(), stored.encode())
        return Gate(admitted, fence if admitted else epoch, holder, remaining)

    async def for_epoch(self, epoch: int) -> Gate:
        """Say whether a swap admitted under ``epoch`` may still run."""
        stored, holder, fence, remaining, _ = await self._read()
        if stored is None:
            return Gate(admitted=True, epoch=epoch)
        return Gate(fence == epoch, epoch, holder, remaining)

    async def _read(self) -> tuple[str | None, str | None, int, float | None, int]:
        """Return token hash (None: not held), holder, its fence, seconds left, latest epoch."""
        read = self._redis.pipeline(transaction=True)
        read.hmget(keys.LOCK, ["token_sha256", "holder", "fence"])
        read.pttl(keys.LOCK)
        read.get(keys.FENCE_LOCK)
        (stored, holder, fence), left_ms, epoch = await asked(
            read.execute(), "cannot verify the reservation: Redis is away"
        )
        if stored is None and (holder is not None or fence is not None):
            # A lease without its token is damaged: nobody can hold it, so nobody may pass.
            stored = ""
        left = left_ms / 1000 if left_ms is not None and left_ms > 0 else None
        return stored, holder, int(fence or 0), left, int(epoch or 0)
