"""Waiting for a condition in tests that speak to real processes."""

import asyncio
from collections.abc import Awaitable, Callable

_INTERVAL_SECONDS = 0.02


async def until(
    holds: Callable[[], bool] | Callable[[], Awaitable[bool]],
    what: str,
    timeout_seconds: float = 20.0,
) -> None:
    """Return as soon as ``holds()`` is true; fails with ``what`` when that takes too long."""
    try:
        async with asyncio.timeout(timeout_seconds):
            while True:
                answer = holds()
                if answer if isinstance(answer, bool) else await answer:
                    return
                await asyncio.sleep(_INTERVAL_SECONDS)
    except TimeoutError:
        raise AssertionError(f"within {timeout_seconds:g} s it never happened: {what}") from None
