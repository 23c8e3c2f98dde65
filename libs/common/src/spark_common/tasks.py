"""Ending tasks for certain."""

import asyncio
from collections.abc import Collection
from typing import Any

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


def stay_cancelled() -> None:
    """Raise CancelledError if this task was cancelled and something lost it on the way."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
