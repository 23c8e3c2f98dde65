"""Child processes that never outlive their parent."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

_PR_SET_PDEATHSIG = 1
_LOG_LIMIT_BYTES = 8 * 1024 * 1024

# Loaded before any fork: between fork and exec only the call itself is safe.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    """Runs in the child: a killed sparkctl leaves nobody behind (Linux)."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def open_log(path: Path) -> BinaryIO:
    """Open a log for appending; one that grew too large starts again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".old.log"))
    return path.open("ab")


async def start_child(
    argv: tuple[str, ...], env: Mapping[str, str], log: BinaryIO
) -> asyncio.subprocess.Process:
    """Start a child in a session of its own, so that Ctrl-C reaches only sparkctl."""
    return await asyncio.create_subprocess_exec(
        *argv,
        env=dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )


async def stop_child(process: asyncio.subprocess.Process, seconds: float) -> None:
    """Terminate a child; after ``seconds`` kill its whole session."""
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), seconds)
        except TimeoutError:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    await process.wait()
