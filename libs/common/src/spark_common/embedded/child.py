"""A server process of ours: one per folder, gone when we are gone."""

import asyncio
import ctypes
import fcntl
import random
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import IO, Final

from spark_common.clock import SystemClock
from spark_common.embedded.binaries import EmbeddedServerError
from spark_common.whole_file import OURS_ALONE, write_whole

_PR_SET_PDEATHSIG = 1
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_LOG_LIMIT_BYTES = 8 * 1024 * 1024

# Above the ports that well-known programs like, and far below those of connections.
_PORTS: Final = range(12_000, 20_000)
_given: set[int] = set()

# Loaded before any fork: between fork and exec only the call itself is safe.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class PortTakenError(EmbeddedServerError):
    """Somebody else listens on the port."""


class ServerStartError(EmbeddedServerError):
    """The process ended or did not answer."""


class Child:
    """One process with its log, started again and again in the same folder."""

    def __init__(self, program: str, directory: Path) -> None:
        self.program = program
        self.directory = directory
        self._clock = SystemClock()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Process number while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(
        self, argv: Sequence[str | Path], answers: Callable[[], Awaitable[bool]]
    ) -> None:
        """Start and wait until ``answers`` says yes; raises ServerStartError with the last words.

        A session of its own keeps Ctrl-C away from it; the lock on the folder lives as long
        as the process, so that two servers never write the same files.
        """
        with self._open_log() as output, self._lock() as lock:
            self._process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=self.directory,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent,
                pass_fds=(lock.fileno(),),
            )
        deadline = self._clock.monotonic() + _START_SECONDS
        try:
            while not await answers():
                if self.pid is None:
                    raise ServerStartError(f"{self.program} ended: {self.last_words()}")
                if self._clock.monotonic() >= deadline:
                    raise ServerStartError(f"{self.program} does not answer: {self.last_words()}")
                await self._clock.sleep(0.01)
        except BaseException:
            await self.kill()
            raise

    async def wait(self) -> int:
        """Wait for the end of the process and return its exit code."""
        return await self._process.wait() if self._process is not None else 0

    async def terminate(self) -> None:
        """End it in order within ten seconds; then kill it."""
        if self._process is None or self.pid is None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it as a power cut would, without a chance to tidy up."""
        if self._process is not None and self.pid is not None:
            self._process.kill()
            await self._process.wait()

    def last_words(self) -> str:
        """Return the last line of its log."""
        try:
            text = self._log_path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return "no log"
        lines = [line.strip() for line in text[-4000:].splitlines() if line.strip()]
        return lines[-1] if lines else "nothing in its log"

    @property
    def _log_path(self) -> Path:
        return self.directory / f"{self.program}.log"

    def _open_log(self) -> IO[bytes]:
        path = self._log_path
        if path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(".old.log"))
        return path.open("ab")

    def _lock(self) -> IO[bytes]:
        lock = (self.directory / f"{self.program}.lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise ServerStartError(
                f"another {self.program} already works in {self.directory}: stop it first"
            ) from error
        return lock


def prepare_directory(directory: Path) -> None:
    """Make a folder that only we read."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file that only we read, never seen half-written, also after a power cut."""
    write_whole(path, text.encode(), OURS_ALONE)


def free_port(among: range = _PORTS) -> int:
    """Return a loopback port that nobody uses at this moment, and never the same one twice.

    It lies outside the ports that the kernel gives to connections: no connection of somebody
    else takes it before the server listens, nor while a server that ended starts again.
    ``among``: where several choose at once and listen later, each has ports of its own.
    """
    while True:
        port = random.choice(among)  # noqa: S311 - no secret
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port


def require_free_port(program: str, port: int) -> None:
    """Raise PortTakenError when somebody listens on the loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTakenError(
                f"port {port} for {program} is taken: stop what listens there or choose another"
            ) from error


def die_with_parent() -> None:
    """Runs in the child: killing us leaves nobody behind (Linux)."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
