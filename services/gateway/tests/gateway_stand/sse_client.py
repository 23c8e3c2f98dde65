"""A client of event streams that can be slow, and waiting for what it shall see."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SseEvent:
    """One received event; ``body`` is the parsed JSON."""

    name: str
    id: str | None
    body: Any


class SseClient:
    """Reads a stream of the application directly, as fast as the test wants."""

    def __init__(self, app: Any, path: str, headers: dict[str, str], method: str = "GET") -> None:
        pairs = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
        self._app = app
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"gateway"), *pairs],
            "client": ("127.0.0.1", 5000),
            "server": ("127.0.0.1", 9999),
        }
        self._asked = False
        self._gone = asyncio.Event()
        self.reading = asyncio.Event()
        self.reading.set()
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.raw = b""
        self._parsed = 0
        self.events: list[SseEvent] = []
        self.task: asyncio.Task[None] | None = None

    @property
    def ended(self) -> bool:
        return self.task is not None and self.task.done()

    async def __aenter__(self) -> "SseClient":
        self.task = asyncio.create_task(self._app(self._scope, self._receive, self._send))
        await until(lambda: self.status is not None or self.ended)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        self.reading.set()
        assert self.task is not None
        async with asyncio.timeout(60):
            await self.task

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        await self.reading.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            return
        self.raw += message.get("body", b"")
        *frames, _rest = self.raw[self._parsed :].split(b"\n\n")
        for frame in frames:
            self._parsed += len(frame) + 2
            self._take(frame.decode())

    def _take(self, frame: str) -> None:
        fields = dict(line.split(": ", 1) for line in frame.split("\n") if ": " in line)
        if "event" in fields:
            self.events.append(
                SseEvent(fields["event"], fields.get("id"), json.loads(fields["data"]))
            )

    def named(self, name: str) -> list[SseEvent]:
        return [event for event in self.events if event.name == name]

    def steps(self) -> list[int]:
        return [event.body["n"] for event in self.named("swap.progress")]


async def until(condition: Callable[[], object], within_seconds: float = 60.0) -> None:
    """Wait for a condition; the time limit is only there to end a broken test."""
    async with asyncio.timeout(within_seconds):
        while not condition():
            await asyncio.sleep(0.005)
