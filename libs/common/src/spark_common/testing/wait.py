"""Waiting for a condition in tests that speak to real processes."""

import asyncio
from collections.abc import Awaitable, Callable

_FIRST_SECONDS, _LAST_SECONDS, _LATE = 0.02, 0.1, 0.1
"""How often it is looked, which costs something too: never later than by a tenth of the wait."""
PATIENCE_SECONDS = 60.0
"""Ends a test that is broken; a machine that is busy with other things takes its time."""


async def until(
    holds: Callable[[], bool] | Callable[[], Awaitable[bool]],
    what: str,
    timeout_seconds: float = PATIENCE_SECONDS,
) -> None:
    """Return as soon as ``holds()`` is true; fails with ``what`` when that takes too long."""
    try:
        async with asyncio.timeout(timeout_seconds):
            pause = _FIRST_SECONDS
            while True:
                answer = holds()
                if answer if isinstance(answer, bool) else await answer:
                    return
                await asyncio.sleep(pause)
                pause = min(pause * (1 + _LATE), _LAST_SECONDS)
    except TimeoutError:
        raise AssertionError(f"within {timeout_seconds:g} s it never happened: {what}") from None


async def within(seconds: float, attempt: Callable[[], Awaitable[float]], tries: int = 8) -> None:
    """Show that what ``attempt`` measures takes less than ``seconds``.

    A busy machine only ever adds to what something takes, so the best of some tries counts.
    """
    took: list[float] = []
    for _ in range(tries):
        took.append(await attempt())
        if took[-1] < seconds:
            return
    raise AssertionError(f"it never took less than {seconds:g} s, but {min(took):.3f} s at best")
