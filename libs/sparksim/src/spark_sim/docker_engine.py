"""The docker engine of a simulated host: a state machine with real processes inside."""

import asyncio
import json
import os
import secrets
import shutil
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from spark_sim.container_log import ContainerLog
from spark_sim.containers import Container, ContainerSpec, image_id
from spark_sim.images import Images
from spark_sim.journal import Journal
from spark_sim.pace import Pace, now
from spark_sim.processes import end_group
from spark_sim.sandbox import Sandbox

STOP_SECONDS = 10.2
"""``sleep`` as first process ignores SIGTERM, so docker waits ten seconds and kills."""
_REMOVAL_SECONDS = 0.8
"""``--rm`` removes after ``docker stop`` has returned."""

_DROP_CACHES = "/proc/sys/vm/drop_caches"


class DockerError(Exception):
    """What docker says on standard error, and its exit code."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


class DockerEngine:
    """Containers of one host, kept in a file so that they survive the simulator."""

    def __init__(
        self, host: str, sandbox: Sandbox, journal: Journal, pace: Pace,
        images: Mapping[str, str], version: str = "28",
    ) -> None:  # fmt: skip
        self.host = host
        self.version = {"29": "29.0.1"}.get(version, "28.5.1")
        self.lower_case = version == "29"
        """Whether its errors about missing objects begin in lower case."""
        self.containers: dict[str, Container] = {}
        self.images = Images(sandbox.root / "images.json", images)
        self.on_disk_full: Callable[[], bool] = lambda: False
        self.on_drop_caches: Callable[[], None] = lambda: None
        self.on_run: Callable[[Container], None] = lambda _: None
        self.port_taken: Callable[[int], bool] = lambda _: False
        """Whether anything of the host listens on a port."""
        self.on_killed: Callable[[str], None] = lambda _: None
        self.on_removed: Callable[[str], None] = lambda _: None
        self.name_taken: Callable[[], bool] = lambda: False
        self.other_images: Callable[[], bool] = lambda: False
        self.until_vacant: Callable[[str], Awaitable[None]] = _at_once
        """Waits until no runtime of a container holds its port any more."""
        self.on_started: Callable[[Container], Awaitable[None]] = _as_it_is
        """Hears of containers that were started again."""
        self.roots: dict[str, Path] = {}
        """Where the files of a container are, for those that have some of their own."""
        self.logs: dict[str, ContainerLog] = {}
        self._sandbox = sandbox
        self._journal = journal
        self._pace = pace
        self._path = sandbox.root / "containers.json"
        self._processes: dict[int, tuple[str, asyncio.subprocess.Process]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def find(self, name: str) -> Container | None:
        """Return a container by name, id or the beginning of its id."""
        for container in self.containers.values():
            if container.spec.name == name.lstrip("/") or container.id.startswith(name):
                return container
        return None

    def need(self, name: str) -> Container:
        """Return a container. Raises DockerError in docker's words."""
        container = self.find(name)
        if container is None:
            raise DockerError(f"Error response from daemon: No such container: {name}")
        return container

    def running(self, name: str) -> Container:
        """Return a container that runs. Raises DockerError."""
        container = self.need(name)
        if not container.running:
            raise DockerError(
                f"Error response from daemon: container {container.id} is not running"
            )
        return container

    def image(self, tag: str) -> str | None:
        """Return the id of a local image."""
        found = self.images.find(tag)
        return image_id(f"another {tag}") if found and self.other_images() else found

    @property
    def sandbox(self) -> Sandbox:
        """The files of the host."""
        return self._sandbox

    async def run(self, spec: ContainerSpec) -> Container:
        """Create and start a container. Raises DockerError."""
        found = self.image(spec.image)
        if found is None:
            raise DockerError(
                f"Unable to find image '{spec.image}' locally\ndocker: Error response from daemon: "
                f"pull access denied for {spec.image}, repository does not exist or may require "
                "'docker login': denied: requested access to the resource is denied.\n"
                "See 'docker run --help'.",
                125,
            )
        other = self.find(spec.name)
        if other is not None or self.name_taken():
            holder = other.id if other is not None else secrets.token_hex(32)
            raise DockerError(
                "docker: Error response from daemon: Conflict. The container name "
                f'"/{spec.name}" is already in use by container "{holder}". You have to remove '
                "(or rename) that container to be able to reuse that name.\n"
                "See 'docker run --help'.",
                125,
            )
        if self.on_disk_full():
            raise DockerError(
                "docker: Error response from daemon: mkdir /var/lib/docker/overlay2/"
                f"{secrets.token_hex(32)}-init: no space left on device.\n"
                "See 'docker run --help'.",
                125,
            )
        container = Container(secrets.token_hex(32), spec, found)
        clashes = [port for port, _ in spec.published if self.port_taken(port)]
        self.containers[container.id] = container
        if clashes:
            container.status = "created"
            self.save()
            raise DockerError(
                "docker: Error response from daemon: failed to set up container networking: "
                f"driver failed programming external connectivity on endpoint {spec.name} "
                f"({secrets.token_hex(32)}): Bind for 0.0.0.0:{clashes[0]} failed: port is already "
                "allocated\n\nRun 'docker run --help' for more information",
                125,
            )
        self._open_log(container)
        self._journal.add(
            self.host, "container_started", name=spec.name, id=container.id, image=spec.image
        )
        self.save()
        if spec.command and Path(spec.command[0]).name not in {"sleep", "earlyoom"}:
            await self.spawn(container, spec.command, spec.env, first=True)
        self.on_run(container)
        return container

    def adopt(self, container: Container) -> None:
        """Know a container that was there before anybody looked."""
        self.containers[container.id] = container
        self._open_log(container)
        self.save()

    async def restart(self, container: Container, seconds: float = STOP_SECONDS) -> None:
        """Stop a container if it runs, and start its first process again."""
        await self._to_its_end(self._restart(container, seconds))

    async def _restart(self, container: Container, seconds: float) -> None:
        await self.stop(container, 1.0 if container.id in self.roots else seconds)
        await self._begin_again(container, "container_restarted")

    async def start(self, container: Container) -> None:
        """Start the first process of a container that does not run."""
        if not container.alive:
            await self._to_its_end(self._begin_again(container, "container_started"))

    async def _to_its_end(self, work: Coroutine[None, None, None]) -> None:
        """Do what docker goes on with when whoever asked for it is gone."""
        await asyncio.shield(self._background(work))

    async def _begin_again(self, container: Container, told: str) -> None:
        container.status, container.exit_code, container.finished_at = "running", 0, None
        container.restart_count, container.started_at = 0, now()
        self._journal.add(self.host, told, name=container.spec.name, id=container.id)
        self.save()
        first, own = container.spec.command, container.id in self.roots
        if first and not own and Path(first[0]).name not in {"sleep", "earlyoom"}:
            await self.spawn(container, first, container.spec.env, first=True)
        await self.on_started(container)

    async def spawn(
        self, container: Container, argv: tuple[str, ...], env: tuple[str, ...],
        *, first: bool = False,
    ) -> None:  # fmt: skip
        """Start a process in a container that outlives the command which asked for it."""
        program, arguments = self.command(container, argv)
        log = self._sandbox.logs / f"{container.id}.pipe"
        output = os.open(log if first else os.devnull, os.O_WRONLY)
        try:
            process = await asyncio.create_subprocess_exec(
                program, *arguments,
                stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
                env=self.environment(container, env), cwd="/", start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(output)
        self._processes[process.pid] = (container.id, process)
        self._background(self._reap(container, process, first=first))

    def command(self, container: Container, argv: tuple[str, ...]) -> tuple[str, list[str]]:
        """Translate an argument list of the container to this machine. Raises DockerError."""
        pipe = str(self._sandbox.logs / f"{container.id}.pipe")
        words = [word.replace("/proc/1/fd/1", pipe).replace("/proc/1/fd/2", pipe) for word in argv]
        if any(_DROP_CACHES in word for word in words):
            # A privileged container may do this on a Spark; this machine's cache is not ours.
            if container.spec.privileged:
                self.on_drop_caches()
            instead = os.devnull if container.spec.privileged else "/proc/sys/vm/no/such/file"
            words = [word.replace(_DROP_CACHES, instead) for word in words]
        for source, _, target in (item.partition(":") for item in container.spec.volumes):
            words = [
                source + word[len(target) :] if word.startswith(f"{target}/") else word
                for word in words
            ]
        if root := self.roots.get(container.id):
            words = [f"{root}{word}" if word.startswith("/opt/") else word for word in words]
        path = self._sandbox.container_environment()["PATH"]
        program = shutil.which(words[0], path=path)
        if program is None:
            raise DockerError(
                "OCI runtime exec failed: exec failed: unable to start container process: exec: "
                f'"{words[0]}": executable file not found in $PATH: unknown',
                127,
            )
        return program, words[1:]

    def environment(self, container: Container, extra: tuple[str, ...] = ()) -> dict[str, str]:
        """Return what a process in a container finds."""
        given = dict(item.split("=", 1) for item in (*container.spec.env, *extra) if "=" in item)
        own = self._sandbox.container_environment()
        return (
            given
            | own
            | {
                "SPARK_SIM_CONTAINER": container.id,
                "SPARK_SIM_IMAGE": container.spec.image,
                "HOSTNAME": container.id[:12],
            }
        )

    async def stop(self, container: Container, seconds: float = STOP_SECONDS) -> None:
        """Stop; returns when its processes are gone, before ``--rm`` has removed it."""
        if not container.alive:
            return
        await self._pace.sleep(seconds)
        if container.alive:
            self.kill(container)
        await self.until_vacant(container.id)

    def kill(self, container: Container, code: int = 137) -> None:
        """End every process of a container at once."""
        for pid, (owner, _) in list(self._processes.items()):
            if owner == container.id:
                end_group(pid)
        self.on_killed(container.id)
        container.status, container.exit_code, container.finished_at = "exited", code, now()
        self._journal.add(self.host, "container_stopped", name=container.spec.name, id=container.id)
        if container.spec.auto_remove:
            container.status = "removing"
            self._background(self._remove_soon(container))
        self.save()

    def remove(self, container: Container) -> None:
        """Forget a container that does not run."""
        self.containers.pop(container.id, None)
        self.roots.pop(container.id, None)
        self.on_removed(container.id)
        if log := self.logs.pop(container.id, None):
            log.delete()
        self.save()

    async def resume(self) -> None:
        """Bring back what ran when the simulator stopped, with the same processes."""
        if not self._path.exists():
            return
        for row in json.loads(self._path.read_text()):
            spec = _spec(row.pop("spec"))
            detached = [(tuple(argv), tuple(env)) for argv, env in row.pop("detached")]
            row["started_at"] = datetime.fromisoformat(row["started_at"])
            row["finished_at"] = None
            container = Container(spec=spec, detached=detached, **row)
            if not container.running and spec.auto_remove:
                continue
            self.containers[container.id] = container
            if not container.running:
                continue
            self._open_log(container)
            for argv, env in detached:
                await self.spawn(container, argv, (*env, "SPARK_SIM_RESUMED=1"))
            self.on_run(container)
        self.save()

    async def close(self) -> None:
        """End all processes; running containers stay running in the file."""
        for task in self._tasks:
            task.cancel()
        for pid, (_, process) in list(self._processes.items()):
            end_group(pid)
            await process.wait()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for log in self.logs.values():
            log.close()

    def save(self) -> None:
        """Write the containers down."""
        rows = []
        for container in self.containers.values():
            row = asdict(container)
            row["started_at"] = container.started_at.isoformat()
            row["finished_at"] = None
            rows.append(row)
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(rows))
        draft.replace(self._path)

    def _open_log(self, container: Container) -> None:
        log = ContainerLog(self._sandbox.logs / f"{container.id}.log")
        log.open()
        self.logs[container.id] = log

    async def _reap(
        self, container: Container, process: asyncio.subprocess.Process, *, first: bool
    ) -> None:
        code = await process.wait()
        self._processes.pop(process.pid, None)
        if first and container.running:
            self.kill(container, code if code >= 0 else 128 - code)

    async def _remove_soon(self, container: Container) -> None:
        await self._pace.sleep(_REMOVAL_SECONDS)
        self.remove(container)

    def _background(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _as_it_is(_: Container) -> None:
    """Do nothing more."""


async def _at_once(_: str) -> None:
    """Wait for nobody."""


def _spec(row: dict[str, Any]) -> ContainerSpec:
    lists = {name: tuple(value) for name, value in row.items() if isinstance(value, list)}
    return ContainerSpec(**{**row, **lists})
