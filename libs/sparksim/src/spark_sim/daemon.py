"""The unix socket through which the fake programs of a host reach the simulator."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from spark_sim.call import Call

Program = Callable[[Call], Awaitable[int]]
"""Runs a call and returns its exit code. Cancelled when the caller dies."""


class ProgramDaemon:
    """Runs the calls of fake programs, each for as long as its caller lives."""

    def __init__(self, path: Path, programs: Mapping[str, Program]) -> None:
        self._path = path
        self._programs = programs
        self._server: asyncio.Server | None = None
        self._calls: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_unix_server(self._accept, self._path)

    async def stop(self) -> None:
        """End every call and stop listening."""
        if self._server is not None:
            self._server.close()
        for task in list(self._calls):
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            _, body = await _frame(reader)
            call = Call.parse(body, writer)
            running = asyncio.create_task(self._run(call))
            listening = asyncio.create_task(_listen(reader, call))
            try:
                await asyncio.wait({running, listening}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                running.cancel()
                listening.cancel()
                await asyncio.gather(running, listening, return_exceptions=True)
        except (EOFError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _run(self, call: Call) -> None:
        code = await self._programs[call.program](call)
        await call.exit(code)


async def _listen(reader: asyncio.StreamReader, call: Call) -> None:
    """Feed standard input to the call; returns when the caller is gone."""
    try:
        while True:
            _, body = await _frame(reader)
            call.feed(body)
    except (EOFError, ConnectionError):
        return


async def _frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readexactly(5)
    return head[:1], await reader.readexactly(int.from_bytes(head[1:], "big"))
