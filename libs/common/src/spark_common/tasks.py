"""Tasks that end together, and for certain."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, NoReturn

_AGAIN_SECONDS = 0.2
_MOST_ROUNDS = 50


async def end(tasks: Collection["asyncio.Task[Any]"]) -> None:
    """Cancel tasks until they are done, for ten seconds at most; what they raise is dropped.

    asyncio.wait_for before Python 3.12, which nats-py and asyncssh use inside, loses a
    cancellation that meets its result: a loop that was told once may go on for ever. Whoever is
    cancelled again while they end others ends them first.
    """
    cancelled: asyncio.CancelledError | None = None
    for _ in range(_MOST_ROUNDS):
        pending = {task for task in tasks if not task.done()}
        if not pending:
            break
        for task in pending:
            task.cancel()
        try:
            await asyncio.wait(pending, timeout=_AGAIN_SECONDS)
        except asyncio.CancelledError as again:
            cancelled = again
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()
    if cancelled is not None:
        raise cancelled


async def together(loops: Sequence[Callable[[], Awaitable[None]]]) -> NoReturn:
    """Run loops that never return; the first one that ends, ends them all.

    Raises what it raised, or RuntimeError where it returned. A TaskGroup would wait for ever for
    one that loses its cancellation, and half of a service would seem to live.
    """
    tasks = [asyncio.create_task(_endless(loop)) for loop in loops]
    try:
        if not tasks:
            await asyncio.Event().wait()
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(tasks)
    await next(task for task in tasks if task in done)
    raise AssertionError("an endless task has no result")


async def _endless(loop: Callable[[], Awaitable[None]]) -> None:
    await loop()
    raise RuntimeError(f"a loop that never returns did: {getattr(loop, '__qualname__', loop)}")


def stay_cancelled() -> None:
    """Raise CancelledError if this task was cancelled and something lost it on the way."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
