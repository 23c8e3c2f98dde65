"""A part of the running product: how it is started and how one sees that it is ready."""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from spark_cli.children import Process, open_log, start_module, stop_child

Start = Callable[[str, tuple[str, ...], Mapping[str, str], Path], Awaitable[Process]]
"""Runs a module with arguments and exactly this environment, with its log in a file."""


class Part(Protocol):
    """Something the supervisor starts, watches, restarts and stops."""

    name: str

    @property
    def pid(self) -> int | None:
        """Process number, once started."""
        ...

    async def start(self) -> None:
        """Start the process; returns once it runs, not once it is ready."""
        ...

    async def ready(self) -> str | None:
        """Return what to print once it is ready, else None."""
        ...

    async def wait(self) -> int:
        """Return the exit code when the process ends."""
        ...

    async def stop(self, seconds: float) -> None:
        """Ask it to end; kill it after so many seconds."""
        ...

    def last_words(self) -> str:
        """Return the last line it printed that explains a death."""
        ...


@dataclass
class Program:
    """A Python module of ours, run as a child with its log in a file."""

    name: str
    module: str
    env: Mapping[str, str]
    log: Path
    probe: Callable[[], Awaitable[str | None]]
    arguments: tuple[str, ...] = ()
    begin: Start = start_module
    _process: Process | None = field(default=None, init=False)
    _log_start: int = field(default=0, init=False)

    @property
    def pid(self) -> int | None:
        """Process number of the current start."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start it with exactly this environment."""
        with open_log(self.log) as stream:
            self._log_start = stream.tell()
        self._process = await self.begin(self.module, self.arguments, self.env, self.log)

    async def ready(self) -> str | None:
        """Ask the probe, once the process is known to live."""
        if self._process is None or self._process.returncode is not None:
            return None
        return await self.probe()

    async def wait(self) -> int:
        """Wait for its end."""
        if self._process is None:
            return -1
        return await self._process.wait()

    async def stop(self, seconds: float) -> None:
        """Terminate, then kill the whole process group."""
        if self._process is not None:
            await stop_child(self._process, seconds)

    def last_words(self) -> str:
        """Return the last line of this start's log."""
        with self.log.open("rb") as stream:
            stream.seek(min(self._log_start, self.log.stat().st_size))
            tail = stream.read()[-4000:].decode("utf-8", "replace")
        lines = [line for line in tail.splitlines() if line.strip()]
        return lines[-1] if lines else "it said nothing"


def http_ready(
    client: httpx.AsyncClient, url: str, text: str
) -> Callable[[], Awaitable[str | None]]:
    """Return a probe: 200 from ``url`` means ready."""

    async def probe() -> str | None:
        try:
            answer = await client.get(url)
        except httpx.HTTPError:
            return None
        return text if answer.status_code == httpx.codes.OK else None

    return probe


def clean_environment() -> dict[str, str]:
    """Return what every child needs of ours: paths and language, none of our settings."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "PYTHONUNBUFFERED": "1"
    }
