"""Runs what blocks: one thread at a time per owner, so that nobody's hanging call takes the room
of another's, and none that outlives us.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from spark_coordinator.webhooks.ports import SendError

ResultT = TypeVar("ResultT")
_PATIENCE_SECONDS = 5.0
"""How long a call waits for an earlier one of its owner."""


class OwnedThreads:
    """Daemon threads, at most one per owner."""

    def __init__(self) -> None:
        self._busy: dict[str, asyncio.Event] = {}

    async def run(self, owner: str, seconds: float, work: Callable[[], ResultT]) -> ResultT:
        """Return what ``work`` returns, or raise what it raises.

        Raises SendError when it takes longer; the thread stays until the call comes back, and
        until then its owner has no other one.
        """
        await self._free(owner, min(seconds, _PATIENCE_SECONDS))
        over = self._busy[owner] = asyncio.Event()
        call = _Call(work, asyncio.get_running_loop(), lambda: self._end(owner, over))
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(call,), name=f"webhook {owner}", daemon=True
        ).start()
        done, _ = await asyncio.wait({call.done}, timeout=seconds)
        if not done:
            raise SendError(f"no answer within {seconds:g} s")
        return call.done.result()

    async def _free(self, owner: str, seconds: float) -> None:
        """Wait for an owner's earlier call, such as a test beside what is owed."""
        try:
            async with asyncio.timeout(seconds):
                while (standing := self._busy.get(owner)) is not None:
                    await standing.wait()
        except TimeoutError as error:
            raise SendError("an earlier try still hangs; it is waited for") from error

    def _end(self, owner: str, over: asyncio.Event) -> None:
        if self._busy.get(owner) is over:
            del self._busy[owner]
        over.set()


class _Call(Generic[ResultT]):
    """One call, seen from both threads."""

    def __init__(
        self,
        work: Callable[[], ResultT],
        loop: asyncio.AbstractEventLoop,
        over: Callable[[], None],
    ) -> None:
        self.done: asyncio.Future[ResultT] = loop.create_future()
        # Nobody may be left to ask for a failure that comes too late.
        self.done.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._work, self._loop, self._over = work, loop, over

    def __call__(self) -> None:
        try:
            result = self._work()
        except BaseException as error:
            failure = error
            self._tell(lambda: self.done.set_exception(failure))
        else:
            self._tell(lambda: self.done.set_result(result))

    def _tell(self, settle: Callable[[], None]) -> None:
        def tell() -> None:
            self._over()
            if not self.done.done():
                settle()

        try:
            self._loop.call_soon_threadsafe(tell)
        except RuntimeError:
            return  # The loop is closed: the process ends.
