"""The process in the speech container: what it loads at its start, and what it says of itself."""

import ast
import asyncio
import hashlib
import os
import random
import shutil
import socket
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from spark_sim.containers import Container, ContainerSpec, image_id
from spark_sim.docker_engine import DockerEngine
from spark_sim.journal import Journal
from spark_sim.pace import Pace, now
from spark_sim.speech.image import APP, COMMAND, ENVIRONMENT, IMAGE, INSTALLED, NAME, lay_out
from spark_sim.speech.parakeet import Parakeet
from spark_sim.speech.process import Process
from spark_sim.vllm_http.server import EmbeddedServer

PORT = 8000
_LOAD_SECONDS = (60.0, 90.0)
_THERE_BEFORE = timedelta(hours=3)
_BACKOFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
_OVERLAY = ("main.py", "diarizer.py")


class SpeechService:
    """One container with its server; its switches are what a real one may suffer."""

    def __init__(self, engine: DockerEngine, journal: Journal, pace: Pace, address: str) -> None:
        self.files = engine.sandbox.root / "container" / "speech"
        self.overlay_fails: str | None = None
        """Why a server with our files cannot load its models."""
        self.stuck_loading = False
        self.parakeet = Parakeet(pace, partial(journal.add, engine.host), self._say)
        self.parakeet.on_death = self._died
        self._engine = engine
        self._journal = journal
        self._pace = pace
        self._address = address
        self._server = EmbeddedServer(self.parakeet)
        self._process: asyncio.Task[None] | None = None
        self._reviving: asyncio.Task[None] | None = None
        self._listening = False
        self._dark = False

    @property
    def container(self) -> Container | None:
        """The container, as long as nobody removed it."""
        return self._engine.find(NAME)

    @property
    def listening(self) -> bool:
        """Whether its port is open."""
        return self._listening

    async def come(self) -> None:
        """Have a container that runs, a new one where there is none. Raises OSError."""
        was_dark, self._dark = self._dark, False
        self._engine.images.by_tag.setdefault(IMAGE, image_id(IMAGE))
        container = self.container
        if container is None:
            shutil.rmtree(self.files, ignore_errors=True)
            lay_out(self.files)
            spec = ContainerSpec(
                image=IMAGE, name=NAME, command=COMMAND, env=ENVIRONMENT, restart="unless-stopped"
            )
            container = Container(hashlib.sha256(os.urandom(16)).hexdigest(), spec, image_id(IMAGE))
            container.started_at -= _THERE_BEFORE
            self._engine.adopt(container)
        self._engine.roots[container.id] = self.files
        if container.running and was_dark and not self.parakeet.process.ended:
            await self._listen()
        elif container.running:
            await self._run(container, loads=False)

    async def go_dark(self) -> None:
        """Close the port, as when the host leaves the network or ends."""
        self._dark = True
        await self._hang_up()

    async def close(self) -> None:
        """End."""
        if self._reviving is not None:
            await self._reviving
        await self._end()

    async def started(self, container: Container) -> None:
        """Take up that docker started the container again."""
        if self._engine.roots.get(container.id) == self.files:
            await self._end()
            await self._run(container, loads=True)

    def killed(self, container_id: str) -> None:
        """Take up that docker ended its process."""
        if self._engine.roots.get(container_id) == self.files:
            self._process_is(self._end_soon())

    async def _end_soon(self) -> None:
        self.parakeet.process.over.set()
        await self._hang_up()

    async def _run(self, container: Container, *, loads: bool) -> None:
        await self._end()
        fault = _fault_of(self.files / APP)
        if fault is not None:
            self._process_is(self._crash(container, fault))
            return
        overlay = _overlay_of(self.files / APP)
        process = self.parakeet.begin("loading" if loads else "ready", overlay)
        await self._listen()
        if loads:
            self.parakeet.records.restarts += 1
            self._process_is(self._load(process))

    def _died(self) -> None:
        if (container := self.container) is not None:
            self._reviving = asyncio.create_task(self._revive(container))

    async def _revive(self, container: Container) -> None:
        """Be started again by docker."""
        container.restart_count += 1
        container.started_at = now()
        self._journal.add(self._engine.host, "container_crashed", name=container.spec.name)
        await self._run(container, loads=True)

    async def _listen(self) -> None:
        if not self._dark and not self._listening:
            await self._server.start(socket.create_server((self._address, PORT)))
            self._listening = True

    async def _load(self, process: Process) -> None:
        await self._pace.sleep(random.uniform(*_LOAD_SECONDS))  # noqa: S311 - no secret
        if process.overlay is not None and self.overlay_fails is not None:
            process.status, self.parakeet.problem = "failed", self.overlay_fails
        elif not self.stuck_loading:
            process.status = "ready"

    async def _crash(self, container: Container, fault: str) -> None:
        """End at once and be started again by docker, for ever."""
        container.status = "restarting"
        for turn in range(10_000):
            self._write_log(container, fault)
            await self._pace.sleep(_BACKOFF_SECONDS[min(turn, len(_BACKOFF_SECONDS) - 1)])
            container.restart_count += 1
            self._journal.add(self._engine.host, "container_crashed", name=container.spec.name)

    def _write_log(self, container: Container, text: str) -> None:
        log = self._engine.logs.get(container.id)
        if log is not None and log.pipe.exists():
            descriptor = os.open(log.pipe, os.O_WRONLY | os.O_NONBLOCK)
            os.write(descriptor, text.encode())
            os.close(descriptor)

    def _process_is(self, work: Any) -> None:
        if self._process is not None:
            self._process.cancel()
        self._process = asyncio.create_task(work)

    async def _end(self) -> None:
        if self._process is not None:
            self._process.cancel()
            await asyncio.gather(self._process, return_exceptions=True)
            self._process = None
        self.parakeet.process.over.set()
        await self._hang_up()

    async def _hang_up(self) -> None:
        self._listening = False
        await self._server.stop()

    def _say(self, text: str) -> None:
        if self.container is not None:
            self._write_log(self.container, text)


def _fault_of(folder: Path) -> str | None:
    """Return what Python would say at its end, if it could not import the application."""
    main = folder / "main.py"
    if not main.exists():
        return "ModuleNotFoundError: No module named 'app.main'\n"
    files = [main, *(path for path in sorted(folder.glob("*.py")) if path != main)]
    try:
        trees = [ast.parse(path.read_bytes(), f"/{APP}/{path.name}") for path in files]
    except (SyntaxError, ValueError) as error:
        return _traceback(f"{type(error).__name__}: {error}")
    for node in trees[0].body:
        for name in _imported(node):
            if name not in INSTALLED and not (folder / f"{name}.py").exists():
                return _traceback(f"ModuleNotFoundError: No module named {name!r}")
    return None


def _imported(node: ast.stmt) -> list[str]:
    """Return the first parts of the names of modules that a line imports."""
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        return [node.module.partition(".")[0]]
    return []


def _traceback(last: str) -> str:
    return f'Traceback (most recent call last):\n  File "/{APP}/main.py", line 1\n{last}\n'


def _overlay_of(folder: Path) -> dict[str, str] | None:
    """Return the hashes that a server with our files tells; None for that of the image."""
    files = {name: folder / name for name in _OVERLAY}
    if not all(path.exists() for path in files.values()):
        return None
    if b"own_files" not in files["main.py"].read_bytes():
        return None
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
