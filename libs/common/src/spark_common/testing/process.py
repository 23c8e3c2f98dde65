"""A service as its own process in a test: started as a supervisor would, asked over HTTP."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from spark_common.plain_http import plain_client
from spark_common.testing.wait import PATIENCE_SECONDS, until


class ServiceProcess:
    """Runs ``python -m module`` on a free port; use as an async context manager."""

    def __init__(self, module: str, environment: Mapping[str, str], log: Path) -> None:
        self._module = module
        self._environment = {
            "PATH": os.environ["PATH"],
            "BIND_HOST": "127.0.0.1",
            "BIND_PORT": "0",
            **environment,
        }
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._client = plain_client(timeout=PATIENCE_SECONDS)

    def again(self) -> Self:
        """Return the same program with a log of its own, not started yet."""
        log = self._log.with_name(f"again-{self._log.name}")
        return type(self)(self._module, self._environment, log)

    @property
    def pid(self) -> int:
        """Which process it is; it must have been started."""
        assert self._process is not None
        return self._process.pid

    async def __aenter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self._module, env=self._environment, stdout=log, stderr=log
            )
        await until(lambda: bool(self.said("service.listening")), "it listens")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        if self.running:
            await self.terminate()
        await self._client.aclose()

    @staticmethod
    async def attempt(module: str, environment: Mapping[str, str]) -> tuple[int, str]:
        """Start a module that is expected to end by itself; return exit code and all it wrote."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            env=dict(environment),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.said('service.listening')[0]['port']}"

    def said(self, event: str) -> list[dict[str, Any]]:
        """Return its log lines of one event."""
        lines = (line for line in self._log.read_text().splitlines() if line.startswith("{"))
        return [found for line in lines if (found := json.loads(line))["event"] == event]

    async def get(self, path: str) -> httpx.Response:
        """Ask over HTTP."""
        return await self._client.get(self.url + path)

    async def reasons(self) -> list[str]:
        """Return why it is not ready; empty when it is."""
        answer = await self.get("/readyz")
        reasons: list[str] = answer.json()["reasons"]
        assert answer.status_code == (503 if reasons else 200)
        return reasons

    async def until_ready(self) -> None:
        """Wait until it is ready."""

        async def ready() -> bool:
            return not await self.reasons()

        await until(ready, f"{self._module} is ready")

    async def until_waiting_for(self, word: str) -> None:
        """Wait until it is not ready for a reason that contains ``word``."""

        async def waiting() -> bool:
            return any(word in reason for reason in await self.reasons())

        await until(waiting, f"{self._module} says that {word} is missing")

    async def terminate(self) -> int:
        """Ask it to end, and return its exit code."""
        assert self._process is not None
        self._process.terminate()
        return await self.wait()

    async def kill(self) -> int:
        """End it at once, as a power cut would, and return its exit code."""
        assert self._process is not None
        self._process.kill()
        return await self.wait()

    async def wait(self) -> int:
        """Wait for its end and return its exit code."""
        assert self._process is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._process.wait()
