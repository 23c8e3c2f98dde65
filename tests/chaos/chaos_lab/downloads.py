"""Downloads in the sandbox: the real path on real shells, with stand-ins for hub and rsync."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos_lab.evidence import messages, provisioner
from chaos_lab.plant import Plant
from chaos_lab.sandbox import HOSTS, LocalShell, Sandbox
from redis.asyncio import Redis

from spark_common.bus import Bus, wire
from spark_common.bus.nats import NatsBus, connect_bus
from spark_common.clock import Clock, SystemClock
from spark_common.contracts.downloads import CANCEL_DOWNLOAD, START_DOWNLOAD, StartDownload
from spark_common.contracts.jobs import CancelJob, JobState
from spark_common.errors import JobInProgressError, SparkError
from spark_common.jobs import RedisJobRecords
from spark_common.redis_access import connect_redis
from spark_common.settings import ClusterSettings, HostSettings
from spark_swapper.downloads.record import DOWNLOADS, DownloadJob, folder_of
from spark_swapper.downloads.settings import DownloadTimings
from spark_swapper.downloads.sparks import DownloadSparks
from spark_swapper.downloads.wiring import DownloadParts, wire_downloads
from spark_swapper.menu.hosts import Hosts, Spark

_CLIENTS = 5
_TIMINGS = DownloadTimings(download_poll_seconds=1.5)


def wire_sandbox_downloads(sandbox: Sandbox, bus: Bus, redis: Redis, clock: Clock) -> DownloadParts:
    """Put downloads together on the folders of the sandbox."""
    unused = sandbox.root / "unused"
    hosts = tuple(
        HostSettings(name=name, label=name, address=f"127.0.0.{number}", user="spark")
        for number, name in enumerate(HOSTS, 1)
    )
    cluster = ClusterSettings(hosts=hosts, ssh_key_path=unused, known_hosts_path=unused)
    shell = LocalShell(sandbox)

    async def nothing() -> None:
        return

    return wire_downloads(
        bus=bus,
        store=RedisJobRecords(redis, DOWNLOADS),
        sparks=DownloadSparks(shell, cluster),
        hosts=Hosts(shell, [Spark(name, name) for name in HOSTS], clock),
        timings=_TIMINGS,
        clock=clock,
        expected_bytes=lambda repo: None,
        refresh_menu=nothing,
    )


@dataclass(frozen=True)
class DownloadWish:
    """One request of a client."""

    id: str
    repo: str
    hosts: tuple[str, ...]
    cancelled_after: float | None = None

    @property
    def works(self) -> bool:
        """Whether the hub has it."""
        return not self.repo.startswith("none/")


def draw_downloads(rng: random.Random, count: int) -> list[DownloadWish]:
    """Return the wishes of a run."""
    wishes = []
    for number in range(count):
        odd = rng.random()
        wishes.append(
            DownloadWish(
                f"load-{number:03d}",
                "none/such" if odd < 0.1 else f"org/model-{number % (count * 2 // 3)}",
                rng.choice((("spark1",), ("spark2",), HOSTS)),
                cancelled_after=rng.uniform(0, 1.2) if odd > 0.6 else None,
            )
        )
    return wishes


@dataclass
class DownloadClients:
    """A few clients that take the wishes in turn and repeat until they are answered."""

    plant: Plant
    wishes: Sequence[DownloadWish]
    accepted: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Ask for everything."""
        settings = self.plant.nats.settings("gateway")
        bus = await connect_bus(settings, "gateway", SystemClock(), on_lost=lambda: None)
        left = list(reversed(self.wishes))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_CLIENTS):
                    group.create_task(self._client(bus, left))
        finally:
            await bus.close()

    async def _client(self, bus: NatsBus, left: list[DownloadWish]) -> None:
        while left:
            wish = left.pop()
            await self._start(bus, wish)
            if wish.cancelled_after is not None:
                await asyncio.sleep(wish.cancelled_after)
                self.cancelled.add(wish.id)
                await self._cancel(bus, wish)
            await asyncio.sleep(0.3)

    async def _start(self, bus: NatsBus, wish: DownloadWish) -> None:
        request = StartDownload(
            repo=wish.repo, hosts=list(wish.hosts), requested_by="Alice", id=wish.id
        )
        while True:
            try:
                await bus.call(START_DOWNLOAD, request, timeout_seconds=2.0)
            except JobInProgressError:
                await asyncio.sleep(0.3)
            except SparkError as error:
                if not error.retryable:
                    raise
                await asyncio.sleep(0.1)
            else:
                self.accepted.add(wish.id)
                return

    async def _cancel(self, bus: NatsBus, wish: DownloadWish) -> None:
        request = CancelJob(id=wish.id, requested_by="Bob")
        while True:
            try:
                await bus.call(CANCEL_DOWNLOAD, request, timeout_seconds=2.0)
            except SparkError as error:
                if not error.retryable:
                    raise
                await asyncio.sleep(0.1)
            else:
                return


@dataclass(frozen=True)
class DownloadEvidence:
    """What is on disk after a run."""

    outcomes: dict[str, list[str]]
    """How each download ended, every time that was told."""
    records: dict[str, DownloadJob]
    live: list[str]
    held: list[str]
    """Repositories that are still taken."""
    effects: list[tuple[str, ...]]
    """Kind, job, step and host of every fetch and copy."""
    running: list[str]
    """Processes of steps that are still there."""


async def collect_downloads(plant: Plant, wishes: Sequence[DownloadWish]) -> DownloadEvidence:
    """Read it all."""
    outcomes: dict[str, list[str]] = {}
    async with provisioner(plant) as link:
        for subject, payload in await messages(link, "SC_JOB_EVT"):
            envelope = wire.unseal(payload)
            assert envelope is not None
            said = outcomes.setdefault(subject.rpartition(".")[2], [])
            said.append(str(envelope.data["outcome"]))
    redis = connect_redis(plant.redis.settings, "checker")
    try:
        store = RedisJobRecords(redis, DOWNLOADS)
        records = {wish.id: await store.get(wish.id) for wish in wishes}
        live = [record.id for record in await store.live()]
        held = [wish.repo for wish in wishes if await store.holder(wish.repo.casefold())]
    finally:
        await redis.aclose()
    journal = plant.sandbox.root / "downloads"
    lines = journal.read_text().splitlines() if journal.exists() else []
    return DownloadEvidence(
        outcomes=outcomes,
        records={key: record for key, record in records.items() if record is not None},
        live=live,
        held=held,
        effects=[tuple(line.split()[:4]) for line in lines],
        running=_steps_running(plant.sandbox.root),
    )


def judge_downloads(
    evidence: DownloadEvidence, clients: DownloadClients, sandbox: Sandbox
) -> list[str]:
    """Return everything that is wrong, one line each."""
    wrong = [f"{job} runs still" for job in evidence.running]
    wrong += [f"{job} is live" for job in evidence.live]
    wrong += [f"{repo} is still taken" for repo in evidence.held]
    twice = [key for key, count in Counter(evidence.effects).items() if count > 1]
    wrong += [f"{' '.join(key)} was done twice" for key in twice]
    wrong += [f"{job} was never asked for" for job in set(evidence.outcomes) - clients.accepted]
    for wish in clients.wishes:
        told = evidence.outcomes.get(wish.id, [])
        if len(told) != 1:
            wrong.append(f"{wish.id} was told {len(told)} times: {told}")
            continue
        state = JobState(told[0])
        record = evidence.records.get(wish.id)
        if record is None or record.state is not state:
            wrong.append(f"{wish.id}: told {state}, recorded {record and record.state}")
        if state is JobState.CANCELLED and wish.id not in clients.cancelled:
            wrong.append(f"{wish.id} was cancelled by nobody")
        if state is JobState.FAILED and wish.works:
            wrong.append(f"{wish.id} failed: {record and record.cause}")
        if state is JobState.COMPLETE:
            if not wish.works:
                wrong.append(f"{wish.id} is complete though the hub has no such repository")
            wrong += [
                f"{wish.id} is complete and not whole on {host}"
                for host in wish.hosts
                if not _whole(sandbox.home(host), wish.repo)
            ]
    return wrong


def _whole(home: Path, repo: str) -> bool:
    folder = home / ".cache" / "huggingface" / "hub" / folder_of(repo)
    files = [path for path in folder.glob("snapshots/*/*.safetensors") if path.exists()]
    return sum(path.stat().st_size for path in files) == 3_000_000


def _steps_running(root: Path) -> list[str]:
    mark = b"SC_DETACHED=" + bytes(root)
    found = []
    for process in Path("/proc").iterdir():
        try:
            if mark in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode()[-80:])
        except OSError:
            continue
    return found
