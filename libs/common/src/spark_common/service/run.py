"""Runs a service as a process: alive at once, ready when it is, gone when asked or broken."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import structlog
import uvicorn

from spark_common.clock import Clock, SystemClock
from spark_common.errors import UnavailableError
from spark_common.logs import configure
from spark_common.service.door import Door
from spark_common.service.lag import watch_loop_lag
from spark_common.service.open_files import make_room
from spark_common.service.parts import Service
from spark_common.settings import HttpSettings, SettingsError
from spark_common.tasks import together

Build = Callable[[], Awaitable[Service]]

_DRAIN_SECONDS = 8
_CLOSE_SECONDS = 10.0
_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 5.0
_BACKLOG = 2048
_KEEP_ALIVE_SECONDS = 65
"""Longer than the sixty seconds usual in proxies, so that the proxy lets go first."""

log = structlog.get_logger()


def run(name: str, build: Build, http: HttpSettings, warnings: Sequence[str] = ()) -> None:
    """Run until SIGTERM or SIGINT (exit 0) or until something breaks (exit 1).

    HTTP answers at once. ``build`` is tried again with growing waits while it raises
    UnavailableError or cannot connect; it closes what it opened before it raises. SettingsError
    is one line and exit 2. ``warnings`` of the settings are logged once.
    """
    # What was read until here stays to the end: no collection has to walk it, the last one neither.
    gc.freeze()
    gc.enable()
    configure(name, http.log_level)
    make_room()
    for warning in warnings:
        log.warning("settings.fallback", reason=warning)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        code = runner.run(_Process(name, build, http, SystemClock()).live())
    sys.exit(code)


class _Server(uvicorn.Server):
    """uvicorn without its own idea of signals: it would end the process with the signal."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Process:
    """One life of a service."""

    def __init__(self, name: str, build: Build, http: HttpSettings, clock: Clock) -> None:
        self._name = name
        self._build = build
        self._http = http
        self._clock = clock
        self._door = Door(name, clock)
        self._asked_to_end = asyncio.Event()
        self._service: Service | None = None
        self._server = _Server(
            uvicorn.Config(
                self._door,
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=_DRAIN_SECONDS,
            )
        )

    async def live(self) -> int:
        """Return the exit code."""
        try:
            listener = _listen(self._http)
        except OSError as error:
            sys.stderr.write(
                f"{self._name} cannot listen on BIND_HOST {self._http.bind_host} "
                f"BIND_PORT {self._http.bind_port}: {os.strerror(error.errno or 0)}\n"
            )
            return 1
        self._obey_signals()
        host, port = listener.getsockname()[:2]
        log.info("service.listening", host=host, port=port)
        tasks: set[asyncio.Task[Any]] = {
            asyncio.create_task(self._asked_to_end.wait(), name="signal"),
            asyncio.create_task(self._server.serve(sockets=[listener]), name="http"),
            asyncio.create_task(watch_loop_lag(self._clock), name="loop lag"),
            asyncio.create_task(self._work(), name="work"),
        }
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return self._verdict(ended)
        finally:
            await self._end(tasks)

    async def _work(self) -> None:
        service = self._service = await self._built()
        self._use_protocol(service.http_protocol)
        self._door.open(service)
        log.info("service.built")
        await together(service.background)

    async def _built(self) -> Service:
        wait_seconds = _FIRST_WAIT_SECONDS
        while True:
            try:
                return await self._build()
            except UnavailableError as error:
                reason = error.message
            except (ConnectionError, TimeoutError) as error:
                reason = f"cannot connect yet ({type(error).__name__})"
            if reason != self._door.waiting_for:
                log.warning("service.waiting", reason=reason)
            self._door.waiting_for = reason
            await self._clock.sleep(wait_seconds)
            wait_seconds = min(wait_seconds * 2, _LONGEST_WAIT_SECONDS)

    def _use_protocol(self, protocol: str | type[asyncio.Protocol]) -> None:
        # The server listens before the service is built, and asks its config for the class at
        # every new connection; so the service's choice holds from here on.
        chosen = uvicorn.Config(
            self._door, http=protocol, ws="none", lifespan="off", log_config=None
        )
        chosen.load()
        self._server.config.http_protocol_class = chosen.http_protocol_class

    def _verdict(self, ended: set[asyncio.Task[Any]]) -> int:
        code = 0
        for task in ended:
            if task.get_name() == "signal":
                log.info("service.stopping")
                continue
            failure = task.exception()
            if isinstance(failure, SettingsError):
                sys.stderr.write(f"{failure}\n")
                return 2
            log.error("service.broke", part=task.get_name(), exc_info=failure)
            code = 1
        return code

    async def _end(self, tasks: set[asyncio.Task[Any]]) -> None:
        """Let requests finish, then stop the loops, then close what the service opened."""
        self._door.stopping = True
        if self._service is not None:
            self._service.stopping.set()
        self._server.should_exit = True
        http = {task for task in tasks if task.get_name() == "http"}
        await asyncio.wait(http, timeout=_DRAIN_SECONDS + 2)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=_CLOSE_SECONDS)
        if self._service is not None:
            try:
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._service.close()
            except Exception:
                log.exception("service.close_failed")
        log.info("service.stopped")

    def _obey_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        if self._asked_to_end.is_set():
            self._server.force_exit = True
        self._asked_to_end.set()


def _listen(http: HttpSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in http.bind_host else socket.AF_INET
    return socket.create_server(
        (http.bind_host, http.bind_port), family=family, backlog=_BACKLOG, reuse_port=False
    )


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
