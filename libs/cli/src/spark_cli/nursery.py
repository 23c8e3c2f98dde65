"""Starts the services as forks of one process that has read what they share."""

import asyncio
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from spark_cli.children import start_child, stop_child

_MODULE = "spark_cli.nursery_process"
_STOP_SECONDS = 5.0


@dataclass
class Forked:
    """A child of the nursery; what ``asyncio.subprocess.Process`` is for a child of ours."""

    pid: int
    returncode: int | None = None
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    def terminate(self) -> None:
        """Ask it to end."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    async def wait(self) -> int:
        """Return the exit code when it ends; the negative of a signal that ended it."""
        await self._ended.wait()
        return self.returncode or 0

    def end(self, code: int) -> None:
        """Say how it ended."""
        self.returncode = code
        self._ended.set()


class Nursery:
    """One process that reads what all services share, and is forked for each of them.

    When it dies its children die with it; the next ``start`` begins a new one.
    """

    def __init__(self, env: Mapping[str, str], log: Path) -> None:
        self._env = env
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._listener: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self._asked: deque[asyncio.Future[Forked]] = deque()
        self._children: dict[int, Forked] = {}

    @property
    def pid(self) -> int | None:
        """Process number while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def open(self) -> None:
        """Start it, unless it runs; it takes a second to read, during which it can be asked."""
        async with self._opening:
            if self._listener is not None and not self._listener.done():
                return
            self._process = process = await start_child(
                (sys.executable, "-m", _MODULE), self._env, self._log, talks=True
            )
            self._listener = asyncio.create_task(self._listen(process))

    async def start(
        self, module: str, arguments: tuple[str, ...], env: Mapping[str, str], log: Path
    ) -> Forked:
        """Run a module in a fork with exactly this environment. Raises OSError."""
        await self.open()
        process = self._process
        if process is None or process.stdin is None:
            raise self._gone()
        answer: asyncio.Future[Forked] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        order = {"module": module, "arguments": arguments, "env": dict(env), "log": str(log)}
        process.stdin.write(json.dumps(order).encode() + b"\n")
        return await answer

    async def close(self) -> None:
        """End it, and what still runs of its children."""
        if self._process is not None:
            await stop_child(self._process, _STOP_SECONDS)
        if self._listener is not None:
            await self._listener

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        stream = process.stdout
        while stream is not None and (line := await stream.readline()):
            self._hear(json.loads(line))
        await process.wait()
        for answer in self._asked:
            if not answer.done():
                answer.set_exception(self._gone())
        for child in self._children.values():
            child.end(-signal.SIGKILL)
        self._asked.clear()
        self._children.clear()

    def _gone(self) -> ConnectionError:
        return ConnectionError(f"the nursery has ended, {self._log} says why")

    def _hear(self, fact: Mapping[str, int]) -> None:
        if "ended" in fact:
            self._children.pop(fact["ended"]).end(fact["code"])
            return
        answer = self._asked.popleft()
        if "started" in fact:
            child = self._children[fact["started"]] = Forked(fact["started"])
            if not answer.done():
                answer.set_result(child)
        elif not answer.done():
            answer.set_exception(OSError(fact["refused"]))
