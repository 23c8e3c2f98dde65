"""Child processes that never outlive their parent."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from spark_common.embedded.child import die_with_parent


def open_log(path: Path) -> BinaryIO:
    """Open a log for appending, so that it may be cut while somebody writes."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path.open("ab")


class Process(Protocol):
    """What is known of a process that was started."""

    @property
    def pid(self) -> int:
        """Its number."""
        ...

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        ...

    def terminate(self) -> None:
        """Ask it to end."""
        ...

    async def wait(self) -> int:
        """Return the exit code when it ends."""
        ...


async def start_module(
    module: str, arguments: tuple[str, ...], env: Mapping[str, str], log: Path
) -> Process:
    """Run a module with an interpreter of its own."""
    return await start_child((sys.executable, "-m", module, *arguments), env, log)


async def start_child(
    argv: tuple[str, ...], env: Mapping[str, str], log: Path, *, talks: bool = False
) -> asyncio.subprocess.Process:
    """Start a child in a session of its own, so that Ctrl-C reaches only sparkctl.

    One that ``talks`` has its input and output with us, and only its errors in the log.
    """
    with open_log(log) as stream:
        return await asyncio.create_subprocess_exec(
            *argv,
            env=dict(env),
            stdin=asyncio.subprocess.PIPE if talks else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if talks else stream,
            stderr=stream,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )


async def stop_child(process: Process, seconds: float) -> None:
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
