"""Starts parts in order, waits until each is ready, restarts what dies, stops in reverse."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spark_cli.parts import Part
from spark_cli.terminal import Terminal
from spark_common.embedded import EmbeddedServerError

_FIRST_BACKOFF_SECONDS = 0.2
_LAST_BACKOFF_SECONDS = 5.0
_CALM_SECONDS = 30.0
_PROBE_SECONDS = 0.1
_STOP_SECONDS = 30.0
"""What a service takes at worst: requests under way, its loops, its connections, 10 s each."""
_STARTING_DEATHS = 3


class StartFailedError(Exception):
    """A part did not come up; the message is the one line for the person."""


@dataclass(frozen=True)
class Stage:
    """Parts that may start at the same time; the next stage waits until all are ready."""

    parts: Sequence[Part]
    within_seconds: float = 60.0


class Supervisor:
    """Keeps the parts of one machine running until it is told to stop."""

    def __init__(
        self,
        stages: Sequence[Stage],
        terminal: Terminal,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._stages = stages
        self._terminal = terminal
        self._changed = changed
        self._started: list[Part] = []
        self._watchers: list[asyncio.Task[None]] = []
        self._tellers: set[asyncio.Task[None]] = set()
        self._stopping = False

    def processes(self) -> dict[str, int]:
        """Return the process number of every running part by name."""
        found = {part.name: part.pid for part in self._started}
        return {name: pid for name, pid in found.items() if pid is not None}

    async def start(self) -> None:
        """Bring every stage up. Raises StartFailedError; the caller stops what runs."""
        for stage in self._stages:
            async with asyncio.TaskGroup() as group:
                for part in stage.parts:
                    group.create_task(self._bring_up(part, stage.within_seconds))

    async def stop(self) -> None:
        """Stop in reverse order of starting; a stage's parts stop together."""
        self._stopping = True
        tasks = [*self._watchers, *self._tellers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for stage in reversed(self._stages):
            running = [part for part in stage.parts if part in self._started]
            await asyncio.gather(*(part.stop(_STOP_SECONDS) for part in running))

    async def _bring_up(self, part: Part, within_seconds: float) -> None:
        deadline = time.monotonic() + within_seconds
        deaths = 0
        self._started.append(part)
        try:
            await part.start()
        except OSError as error:
            raise StartFailedError(f"{part.name} cannot be started: {error}") from error
        ended = asyncio.ensure_future(part.wait())
        try:
            while (text := await part.ready()) is None:
                if ended.done():
                    deaths += 1
                    if deaths >= _STARTING_DEATHS:
                        raise StartFailedError(f"{part.name} does not start: {part.last_words()}")
                    await part.start()
                    ended = asyncio.ensure_future(part.wait())
                if time.monotonic() > deadline:
                    raise StartFailedError(
                        f"{part.name} is not ready after {within_seconds:.0f} s: "
                        f"{part.last_words()}"
                    )
                await asyncio.sleep(_PROBE_SECONDS)
        except BaseException:
            ended.cancel()
            raise
        self._terminal.ready(part.name, text)
        self._watchers.append(asyncio.create_task(self._watch(part, ended)))

    async def _watch(self, part: Part, ended: "asyncio.Future[int]") -> None:
        backoff = _FIRST_BACKOFF_SECONDS
        while True:
            began = time.monotonic()
            code = await ended
            if self._stopping:
                return
            if time.monotonic() - began > _CALM_SECONDS:
                backoff = _FIRST_BACKOFF_SECONDS
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            self._terminal.trouble(part.name, f"ended with {how}; starting it again")
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, _LAST_BACKOFF_SECONDS)
            try:
                await part.start()
            except (OSError, EmbeddedServerError) as error:
                self._terminal.trouble(part.name, f"cannot be started: {error}")
                ended = asyncio.ensure_future(_failed_start())
                continue
            ended = asyncio.ensure_future(part.wait())
            self._changed()
            teller = asyncio.create_task(self._tell_when_ready(part))
            self._tellers.add(teller)
            teller.add_done_callback(self._tellers.discard)

    async def _tell_when_ready(self, part: Part) -> None:
        for _ in range(int(60 / _PROBE_SECONDS)):
            if (text := await part.ready()) is not None:
                self._terminal.ready(part.name, f"{text} (again)")
                return
            await asyncio.sleep(_PROBE_SECONDS)


async def _failed_start() -> int:
    return -1
