"""Child processes that never outlive their parent."""

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from spark_common.embedded.child import die_with_parent


def open_log(path: Path) -> BinaryIO:
    """Open a log for appending, so that it may be cut while somebody writes."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
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
        preexec_fn=die_with_parent,
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
