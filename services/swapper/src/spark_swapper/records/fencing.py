"""The number of this worker's start, higher than any the Sparks have seen."""

import asyncio

import structlog

from spark_common.clock import Clock
from spark_common.errors import SparkError, UnavailableError
from spark_swapper.records.store import JobStore
from spark_swapper.runtime import Runtime, Watermarks

_log = structlog.get_logger()
_AGAIN_SECONDS = 1.0


async def claim_fence(store: JobStore, runtime: Runtime, clock: Clock) -> int:
    """Return a fresh fence; waits for Redis as long as it takes.

    A restored backup of Redis may count from below what the Sparks have stored: they are asked
    first. One that does not answer refuses us later with exit 76, and the next start asks again.
    """
    seen = await asyncio.gather(*(_seen(runtime, host) for host in runtime.hosts))
    floor, epoch_floor = max(mark.fence for mark in seen), max(mark.epoch for mark in seen)
    while True:
        try:
            fence = await store.raise_fence(floor, epoch_floor)
        except UnavailableError:
            await clock.sleep(_AGAIN_SECONDS)
        else:
            _log.info("swapper.fence_claimed", fence=fence)
            return fence


async def _seen(runtime: Runtime, host: str) -> Watermarks:
    try:
        return await runtime.watermarks(host)
    except SparkError as error:
        _log.warning("swapper.fence_unasked", host=host, code=error.code)
        return Watermarks(0, 0)
