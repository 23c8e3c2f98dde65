"""Updates on two simulated Sparks whose start is a process, and a checkout with real git."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from spark_common.clock import SystemClock
from spark_common.contracts.jobs import CancelJob, GetJob
from spark_common.contracts.updates import ApplyUpdates, GetUpdates, RevertUpdates, UpdateView
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.settings import ClusterSettings
from spark_common.tasks import end
from spark_common.testing import MemoryBroker, MemoryBus
from spark_common.testing.job_records import MemoryJobRecords
from spark_common.testing.shell import LocalShell
from spark_sim.cluster import SimulatedCluster
from spark_sim.two_sparks import two_sparks
from spark_swapper.testing import FakeGate, MemoryJobs
from spark_swapper.updates.reply import look_command, read_found
from spark_swapper.updates.sight import Sight
from spark_swapper.updates.wiring import UpdatePart, wire_updates

DIRECTORY = "spark-vllm-docker"
SPEED = 400.0
DOCKER = """#!/bin/sh
case "$1 $2" in
  "image inspect")
    case $3 in
      there) echo '[{"Id": "sha256:ab", "Created": "2026-10-14T06:11:09.1Z", "Size": 7,
        "Config": {"Labels": {
          "org.opencontainers.image.version": "24.04", "vllm_version": "0.30"}}}]' ;;
      odd) echo '[]' ;;
      broken) echo "dial unix docker.sock: connect: no such file or directory" >&2; exit 1 ;;
      *:before-*) echo '[{"Id": "sha256:cd", "Config": null}]' ;;
      *) echo "Error response from daemon: No such image: $3:latest" >&2; exit 1 ;;
    esac ;;
  "image ls") echo a:latest
    echo a:before-20261127T010203Z-0123456789012345678901234567890123456789
    echo a:before-lunch ;;
  *) exit 1 ;;
esac
"""


@dataclass
class Software:
    """The cluster software of two simulated Sparks."""

    cluster: SimulatedCluster
    settings: ClusterSettings
    clock: SystemClock = field(default_factory=SystemClock)
    records: MemoryJobRecords = field(default_factory=MemoryJobRecords)
    swaps: MemoryJobs = field(default_factory=MemoryJobs)
    gate: FakeGate = field(default_factory=FakeGate)
    downloading: str | None = None
    changes: int = 0
    images: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.broker = MemoryBroker(clock=self.clock)
        self.bus = MemoryBus("swapper", self.broker)
        self.shell = SshShell(self.settings, self.clock, SshTimes(remember_seconds=0.2))
        self.start()

    def start(self) -> None:
        """Wire and run a process."""
        self.part: UpdatePart = wire_updates(
            bus=self.bus,
            shell=self.shell,
            clock=self.clock,
            hosts=self.settings.hosts,
            runtime=lambda: self.settings.runtime,
            images=lambda: self.images,
            records=self.records,
            swaps=self.swaps,
            gate=self.gate,
            download=lambda: self.download(),
            changed=self._changed,
            poll_seconds=lambda: 0.2,
        )
        loops = (self.part.runner, self.part.look)
        self.running = [asyncio.create_task(loop.run()) for loop in loops]

    async def kill(self) -> None:
        """End the process where it stands."""
        await end(self.running)

    async def close(self) -> None:
        await self.kill()
        await self.shell.close()

    async def get(self, *, refresh: bool = False):
        return await self.part.verbs.get_updates(GetUpdates(refresh=refresh))

    async def apply(self, **facts: object) -> UpdateView:
        return await self.part.verbs.apply(ApplyUpdates(requested_by="Alice", **facts))

    async def revert(self, **facts: object) -> UpdateView:
        return await self.part.verbs.revert(RevertUpdates(requested_by="Alice", **facts))

    async def cancel(self, job_id: str) -> UpdateView:
        return await self.part.verbs.cancel(CancelJob(id=job_id, requested_by="Bob"))

    async def view(self, job_id: str) -> UpdateView:
        return await self.part.verbs.get_job(GetJob(id=job_id))

    async def until(self, job_id: str, holds: Callable[[UpdateView], bool]) -> UpdateView:
        async with asyncio.timeout(60):
            while not holds(view := await self.view(job_id)):
                assert not view.over, view
                await asyncio.sleep(0.02)
        return view

    async def ended(self, job_id: str) -> UpdateView:
        return await self.until(job_id, lambda view: view.over)

    def slow_down(self, speed: float = 25.0) -> None:
        """Let a pull take some seconds, long enough for a test to come in between."""
        for host in self.cluster.hosts.values():
            host.pace.speed = speed

    def hurry(self) -> None:
        """Let the rest of an update pass."""
        self.slow_down(SPEED)

    def ids(self, tag: str = "vllm-node") -> list[str | None]:
        """Return the id of an image on each Spark."""
        return [host.engine.image(tag) for host in self.cluster.hosts.values()]

    def kept(self) -> set[str]:
        """Return the kept tags of both Sparks."""
        hosts = self.cluster.hosts.values()
        return {tag for host in hosts for tag in host.engine.images.by_tag if ":before-" in tag}

    def told(self, stream: str) -> list[dict[str, object]]:
        messages = self.broker.stream(stream).messages.values()
        return [message.envelope.data for message in messages if message.envelope]

    async def download(self) -> str | None:
        return self.downloading

    async def _changed(self) -> None:
        self.changes += 1


@pytest.fixture
async def software(tmp_path) -> AsyncIterator[Software]:
    async with two_sparks(tmp_path, speed=SPEED) as running:
        software = Software(running.cluster, running.settings)
        async with asyncio.timeout(60):
            while not all(sight.found for sight in software.part.look.sights):
                await asyncio.sleep(0.02)
        yield software
        await software.close()


class Repository:
    """A checkout that follows an origin, and somebody who pushes to it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.bin = root / "bin"
        for folder in (self.home, self.bin):
            folder.mkdir()
        (self.bin / "docker").write_text(DOCKER)
        (self.bin / "docker").chmod(0o755)
        self.folder = self.home / DIRECTORY
        self.git("init", "-q", "--bare", "-b", "main", str(root / "origin"), cwd=root)
        self.git("clone", "-q", str(root / "origin"), str(root / "work"), cwd=root)
        self.push("Start")
        self.git("clone", "-q", str(root / "origin"), str(self.folder), cwd=root)
        path = f"{self.bin}:/usr/local/bin:/usr/bin:/bin"
        self.shell = LocalShell({"spark1": self.home}, path)

    def git(self, *words: str, cwd: Path | None = None) -> str:
        who = ["-c", "user.name=Alice", "-c", "user.email=alice@example.invalid"]
        calm = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.defpath}
        done = subprocess.run(
            ["git", *who, *words], cwd=cwd or self.folder, check=True, capture_output=True,
            text=True, env=calm,
        )  # fmt: skip
        return done.stdout.strip()

    def push(self, subject: str, body: str = "") -> None:
        work = self.root / "work"
        with (work / "notes").open("a") as notes:
            notes.write("more\n")
        self.git("add", ".", cwd=work)
        text = f"{subject}\n\n{body}"
        self.git("commit", "-q", "--cleanup=verbatim", "-m", text, cwd=work)
        self.git("push", "-q", "origin", "HEAD:main", cwd=work)

    async def look(self, *images: str, refresh: bool = True):
        command = look_command(DIRECTORY, images, refresh=refresh)
        return read_found(await self.shell.run("spark1", command, timeout_seconds=60))

    async def sight(self, *, refresh: bool = True) -> Sight:
        return Sight("spark1", "Spark 1", DIRECTORY, await self.look(refresh=refresh), fresh=True)


@pytest.fixture
def repository(tmp_path) -> Repository:
    return Repository(tmp_path)
