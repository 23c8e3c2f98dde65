"""The containers beside the model that are always on: voice, embeddings, Qdrant, the bridge."""

import asyncio
import hashlib
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta

from spark_sim.containers import Container, ContainerSpec, image_id
from spark_sim.docker_engine import DockerEngine
from spark_sim.journal import Journal
from spark_sim.neighbours import EMBED_PORT, QDRANT_PORT, Neighbours
from spark_sim.pace import Pace, now
from spark_sim.speech.kokoro import PORT as VOICE_PORT

BRIDGE = "matrix-bridge"
_THERE_BEFORE = timedelta(hours=3)
_BACKOFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
_LIVES_SECONDS = 0.6
_VERSION = "org.opencontainers.image.version"


@dataclass(frozen=True)
class _Box:
    name: str
    image: str
    port: int | None
    load_seconds: float
    labels: tuple[str, ...] = ()
    env: tuple[str, ...] = ()


_VOICE = "kokoro-fastapi-gpu:v0.8.1"
_BOXES = {
    "spark1": (
        _Box("kokoro", _VOICE, VOICE_PORT, 20.0, (f"{_VERSION}=0.8.1",)),
        _Box(BRIDGE, f"{BRIDGE}:local", None, 1.0, env=("MATRIX_TOKEN=syt_not_for_anybody",)),
    ),
    "spark2": (
        _Box("embeddings", "spark-embed:stock", EMBED_PORT, 15.0),
        _Box("qdrant", "qdrant/qdrant:v1.15.5", QDRANT_PORT, 2.0),
    ),
}


class ServiceContainers:
    """Opens a port with its container and closes it with it; governs nothing unless it is on."""

    def __init__(
        self, engine: DockerEngine, journal: Journal, pace: Pace, neighbours: Neighbours,
        crashes: Callable[[], bool], *, on: bool,
    ) -> None:  # fmt: skip
        self.on = on
        self.crashing: set[str] = set()
        """Names of containers whose process ends right after each start."""
        self._engine = engine
        self._journal = journal
        self._pace = pace
        self._neighbours = neighbours
        self._crashes = crashes
        self._boxes = {box.name: box for box in _BOXES.get(engine.host, ())} if on else {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def come(self) -> None:
        """Have every container; a new one runs, one that somebody stopped stays stopped."""
        await self.until_ended()
        for box in self._boxes.values():
            container = self._engine.find(box.name)
            if container is None:
                container = self._made(box)
            if container.running and not self._is_to_crash(box.name):
                await self._open(box)

    def add(self, name: str, image: str = "busybox:1.36") -> Container:
        """Have one more, without a port: a bot."""
        box = self._boxes[name] = _Box(name, image, None, 0.0)
        return self._made(box)

    def crash(self, name: str) -> None:
        """Let its process end now and right after each start."""
        self.crashing.add(name)
        self._begin_loop(name)

    def crash_all(self) -> None:
        """Take up that the host's behaviour lets all of them crash, if it does."""
        for name in self._boxes:
            if self._crashes():
                self._begin_loop(name)

    def say(self, name: str, line: str) -> None:
        """Write a line into the log of one."""
        container = self._engine.find(name)
        if container is not None and (log := self._engine.logs.get(container.id)) is not None:
            log.write(line)

    def begin(self, container: Container) -> None:
        """Take up that docker started a container, the first time or again."""
        box = self._boxes.get(container.spec.name)
        if box is not None:
            self._task(box.name, self._start(box, container))

    def killed(self, container_id: str) -> None:
        """Take up that docker ended one."""
        container = self._engine.containers.get(container_id)
        box = None if container is None else self._boxes.get(container.spec.name)
        if box is not None:
            self._forget_task(box.name)
            self._end(asyncio.create_task(self._shut(box)))

    async def until_ended(self) -> None:
        """Wait until the ports of those that ended are closed."""
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def close(self) -> None:
        """End all of them; their containers stay as they are."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), *self._ending, return_exceptions=True)
        await self._neighbours.stop()

    def _is_to_crash(self, name: str) -> bool:
        return name in self.crashing or self._crashes()

    def _begin_loop(self, name: str) -> None:
        container = self._engine.find(name)
        if container is not None and container.running:
            self._task(name, self._loop(self._boxes[name], container))

    def _made(self, box: _Box) -> Container:
        self._engine.images.by_tag.setdefault(box.image, image_id(box.image))
        ports = (f"{box.port}:{box.port}",) if box.port else ()
        spec = ContainerSpec(
            image=box.image, name=box.name, restart="unless-stopped", ports=ports,
            labels=box.labels, env=box.env,
        )  # fmt: skip
        made = Container(hashlib.sha256(os.urandom(16)).hexdigest(), spec, image_id(box.image))
        made.started_at -= _THERE_BEFORE
        self._engine.adopt(made)
        self.say(box.name, f"{box.name} is up")
        return made

    async def _start(self, box: _Box, container: Container) -> None:
        if self._is_to_crash(box.name):
            await self._loop(box, container)
            return
        self.say(box.name, f"{box.name} is starting")
        await self._pace.sleep(box.load_seconds)
        await self._open(box)
        self.say(box.name, f"{box.name} is up")

    async def _loop(self, box: _Box, container: Container) -> None:
        """End at once and be started again by docker, until it is mended or stopped."""
        await self._shut(box)
        for turn in range(10_000):
            container.status, container.exit_code = "restarting", 1
            self.say(box.name, "Traceback (most recent call last):\nRuntimeError: no configuration")
            self._journal.add(self._engine.host, "container_crashed", name=box.name)
            await self._pace.sleep(_BACKOFF_SECONDS[min(turn, len(_BACKOFF_SECONDS) - 1)])
            container.restart_count += 1
            container.started_at, container.status, container.exit_code = now(), "running", 0
            if not self._is_to_crash(box.name):
                break
            await self._pace.sleep(_LIVES_SECONDS)
        await self._open(box)

    async def _open(self, box: _Box) -> None:
        if box.port is not None:
            await self._neighbours.open(box.port)

    async def _shut(self, box: _Box) -> None:
        if box.port is not None:
            await self._neighbours.shut(box.port)

    def _task(self, name: str, work: Coroutine[None, None, None]) -> None:
        self._forget_task(name)
        self._tasks[name] = asyncio.create_task(work)

    def _forget_task(self, name: str) -> None:
        if (before := self._tasks.pop(name, None)) is not None:
            before.cancel()
            self._end(before)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
