"""Worker processes: bounded in number, in waiting and in time."""

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from typing import Any, TypeVar

from spark_common.errors import BusyError, DeadlineExceededError, InvalidRequestError, SparkError
from spark_redaction.errors import LeakSelfCheckError
from spark_redaction.scrub import Entry, Report
from spark_redaction.work import calls
from spark_redaction.work.beginning import begin
from spark_redaction.work.orders import (
    BudgetSpentError,
    LeftOverError,
    Names,
    RehydrateWork,
    ScrubDone,
    ScrubWork,
    SetNeededError,
    UnfitError,
    WorkFailedError,
)

T = TypeVar("T")
_GRACE_SECONDS = 5.0
_JOBS = "spark_redaction.work.jobs"
"""Read once, before the workers are forked, and not by the service."""


class Workers:
    """Runs the jobs; at most ``waiting`` calls at once, the rest is refused at once."""

    def __init__(self, processes: int, waiting: int, budget_seconds: float) -> None:
        self._processes = processes
        self._most = waiting
        self._running = 0
        self.budget_seconds = budget_seconds
        self._pool = self._new()

    def _new(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([_JOBS, calls.__name__, begin.__module__])
        return ProcessPoolExecutor(self._processes, context, initializer=begin)

    async def scrub(self, work: ScrubWork, names_of_set: Callable[[], Names]) -> ScrubDone:
        """Scrub; the names of a set travel only to a worker that lacks them."""
        work = replace(work, budget_seconds=self.budget_seconds)
        try:
            return await self._run(calls.scrub, work)
        except SetNeededError:
            return await self._run(calls.scrub, replace(work, set_names=names_of_set()))

    async def prose(self, work: ScrubWork) -> str:
        """Return the text that ``scrub`` would look at."""
        return await self._run(calls.prose, replace(work, budget_seconds=self.budget_seconds))

    async def rehydrate(self, work: RehydrateWork) -> tuple[Any, Report]:
        """Rehydrate."""
        return await self._run(calls.rehydrate, replace(work, budget_seconds=self.budget_seconds))

    async def verify(self, text: str, entries: tuple[Entry, ...]) -> list[str]:
        """Return the types that survive."""
        return await self._run(calls.verify, text, entries, self.budget_seconds)

    async def warm(self) -> None:
        """Start the first worker and have it compile its patterns; others come when needed."""
        await self._run(calls.verify, "warm", (), 60.0)

    def close(self) -> None:
        """End the workers."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, call: Callable[..., T], *arguments: object) -> T:
        if self._running >= self._most:
            raise BusyError("too many texts at once; try again in a moment")
        self._running += 1
        try:
            async with asyncio.timeout(self.budget_seconds * 4 + _GRACE_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(
                    self._pool, call, *arguments
                )
        except (BudgetSpentError, TimeoutError):
            raise DeadlineExceededError(
                "this text takes longer than it may; send it in smaller pieces"
            ) from None
        except LeftOverError as error:
            raise LeakSelfCheckError(f"nothing is returned: {error}") from None
        except UnfitError as error:
            raise InvalidRequestError(str(error)) from None
        except WorkFailedError as error:
            raise SparkError(f"the work broke ({error}); nothing is returned") from None
        except BrokenProcessPool:
            self._pool = self._new()
            raise BusyError("a worker died; try again") from None
        finally:
            self._running -= 1
