"""Hosts that are folders of this machine: every command runs in a real shell with that home."""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from spark_common.errors import DeadlineExceededError, HostUnreachableError, NotFoundError
from spark_common.remote.command import RemoteCommand, RemoteResult, quote


class LocalShell:
    """A ``RemoteShell`` over ``/bin/sh``. ``away`` holds the names of hosts that do not answer."""

    def __init__(self, homes: Mapping[str, Path], path: str | None = None) -> None:
        self._homes = dict(homes)
        self._path = path or os.environ["PATH"]
        self.away: set[str] = set()
        self.commands: list[tuple[str, RemoteCommand]] = []

    async def run(
        self, host: str, command: RemoteCommand, *, timeout_seconds: float = 30.0
    ) -> RemoteResult:
        """Run to the end and return the result."""
        home = self._home(host)
        self.commands.append((host, command))
        child = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            quote(command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=home,
            env={"HOME": str(home), "PATH": self._path, "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(timeout_seconds):
                out, err = await child.communicate(command.stdin or b"")
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
            raise DeadlineExceededError(f"{host} took too long", host=host) from None
        code = child.returncode
        return RemoteResult(
            code if code is not None and code >= 0 else None,
            out.decode(errors="replace"),
            err.decode(errors="replace"),
        )

    async def home(self, host: str) -> str:
        """Return the folder of a host."""
        return str(self._home(host))

    def _home(self, host: str) -> Path:
        if host not in self._homes:
            raise NotFoundError(f"no Spark is named {host!r}", host=host)
        if host in self.away:
            raise HostUnreachableError(f"{host} does not answer", host=host)
        return self._homes[host]
