"""Brings everything up on this machine, keeps it running until Ctrl-C, and takes it down."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress

from spark_cli.addresses import Listener, problems
from spark_cli.log_limit import keep_logs_small
from spark_cli.run_folder import FolderInUseError, RunFolder
from spark_cli.session import Launch, Session
from spark_cli.supervisor import StartFailedError
from spark_cli.terminal import Terminal
from spark_common.embedded import EmbeddedServerError
from spark_common.plain_http import plain_client


def run(launch: Launch) -> None:
    """Run until Ctrl-C; a start that cannot work ends with one line per reason and exit 1."""
    terminal = Terminal()
    folder = RunFolder(launch.folder.resolve())
    try:
        folder.open()
    except FolderInUseError as error:
        terminal.trouble("sparkctl", str(error))
        sys.exit(1)
    except OSError as error:
        terminal.trouble("sparkctl", f"{folder.path} cannot be used: {error.strerror}")
        sys.exit(1)
    try:
        code = asyncio.run(_run(launch, folder, terminal))
    finally:
        folder.close()
    sys.exit(code)


async def _run(launch: Launch, folder: RunFolder, terminal: Terminal) -> int:
    if wrong := problems(_listeners(launch)):
        for line in wrong:
            terminal.trouble("sparkctl", line)
        return 1
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    code = 0
    async with plain_client(timeout=2.0) as client:
        session = Session(launch, folder, terminal, client)
        trimming = asyncio.create_task(keep_logs_small(folder.log_folders()))
        try:
            await _unless(stop, session.start())
            if not stop.is_set():
                session.welcome()
                await stop.wait()
        except* (StartFailedError, EmbeddedServerError) as failed:
            for error in _leaves(failed):
                terminal.trouble("sparkctl", str(error))
            code = 1
        terminal.plain()
        terminal.note("sparkctl", "stopping")
        await session.stop()
        trimming.cancel()
    terminal.note("sparkctl", "everything stopped; the state is kept for the next start")
    return code


async def _unless(stop: asyncio.Event, start: Coroutine[None, None, None]) -> None:
    """Await ``start``, but give it up as soon as ``stop`` is set."""
    starting = asyncio.create_task(start)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not starting.done():
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting
        return
    await starting


def _leaves(group: BaseExceptionGroup[Exception]) -> list[Exception]:
    found: list[Exception] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _listeners(launch: Launch) -> list[Listener]:
    inner = [Listener(name, "127.0.0.1", port) for name, port in launch.service_ports.items()]
    simulated = launch.simulator.listeners() if launch.simulator is not None else []
    return [Listener("gateway", launch.bind_host, launch.gateway_port), *inner, *simulated]
