"""Waits for what comes back by itself: Redis and the bus."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from spark_common.clock import Clock
from spark_common.errors import UnavailableError

T = TypeVar("T")
_AGAIN_SECONDS = 1.0


async def patiently(clock: Clock, ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until there is an answer; every other error is an answer too."""
    while True:
        try:
            return await ask()
        except UnavailableError:
            await clock.sleep(_AGAIN_SECONDS)
