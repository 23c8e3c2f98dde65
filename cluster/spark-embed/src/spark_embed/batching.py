"""Runs a model on what waits: while one batch runs, the next one gathers."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Generic, TypeVar

from spark_embed.ports import BrokenModelError, OutOfMemoryError, Tokens

R = TypeVar("R")


class BusyError(Exception):
    """More waits than may wait; try again in a moment."""


@dataclass
class _Item(Generic[R]):
    tokens: Tokens
    answer: "asyncio.Future[R]"


class Batcher(Generic[R]):
    """One model, one batch at a time, first come first served.

    An idle model runs at once: nobody waits for company.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Tokens]], Sequence[R]],
        thread: Executor,
        *,
        batch_tokens: int,
        batch_items: int,
        queue_tokens: int,
        ran: Callable[[int, int], None] = lambda items, tokens: None,
        broke: Callable[[], None] = lambda: None,
    ) -> None:
        """``thread`` is the one that models run in; ``ran`` is told items and tokens of a batch;
        ``broke`` is called when the model can be used no more."""
        self._run = run
        self._thread = thread
        self._batch_tokens = batch_tokens
        self._batch_items = batch_items
        self._queue_tokens = queue_tokens
        self._ran = ran
        self._broke = broke
        self._waiting: deque[_Item[R]] = deque()
        self._working: asyncio.Task[None] | None = None
        self.waiting_tokens = 0

    async def submit(self, inputs: Sequence[Tokens]) -> list[R]:
        """Return an answer to each. Raises BusyError, OutOfMemoryError, BrokenModelError."""
        size = sum(map(len, inputs))
        if self.waiting_tokens + size > self._queue_tokens:
            raise BusyError
        loop = asyncio.get_running_loop()
        items = [_Item(tokens, loop.create_future()) for tokens in inputs]
        self._waiting.extend(items)
        self.waiting_tokens += size
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        try:
            return list(await asyncio.gather(*(item.answer for item in items)))
        finally:
            # Whoever left, or failed at one of them, wants none of the others.
            for item in items:
                item.answer.cancel()

    async def _work(self) -> None:
        while batch := self._next():
            await self._answer(batch)

    def _next(self) -> list[_Item[R]]:
        """Take the next batch: as many as fit when all are as long as the longest."""
        batch: list[_Item[R]] = []
        longest = 0
        while self._waiting and len(batch) < self._batch_items:
            item = self._waiting[0]
            if not item.answer.done():
                longest = max(longest, len(item.tokens))
                if batch and longest * (len(batch) + 1) > self._batch_tokens:
                    break
                batch.append(item)
            self._waiting.popleft()
            self.waiting_tokens -= len(item.tokens)
        return batch

    async def _answer(self, batch: list[_Item[R]]) -> None:
        inputs = [item.tokens for item in batch]
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(self._thread, self._run, inputs)
        except OutOfMemoryError as error:
            if len(batch) > 1:
                half = len(batch) // 2
                await self._answer(batch[:half])
                await self._answer(batch[half:])
            else:
                _fail(batch, error)
        except Exception as error:
            _fail(batch, BrokenModelError(type(error).__name__))
            self._broke()
        else:
            self._ran(len(batch), sum(map(len, inputs)))
            for item, answer in zip(batch, answers, strict=True):
                if not item.answer.done():
                    item.answer.set_result(answer)


def _fail(batch: Sequence[_Item[R]], error: Exception) -> None:
    for item in batch:
        if not item.answer.done():
            item.answer.set_exception(error)
