"""The runtimes of a host: who serves, who holds which memory, who listens."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spark_sim.call import Call
from spark_sim.catalogue import SimModel
from spark_sim.config import SimConfig
from spark_sim.hub import OFFERED
from spark_sim.journal import Journal
from spark_sim.nvidia_smi import GpuUsage
from spark_sim.processes import end
from spark_sim.ray_ranks import RayRank
from spark_sim.vllm_process import VllmProcess

if TYPE_CHECKING:
    from spark_sim.host import SimulatedHost


@dataclass
class Meter:
    """What the control group of a container has counted."""

    read_bytes: int = 0
    oom_kills: int = 0


class Runtimes:
    """The vLLM processes of one host."""

    def __init__(self, host: "SimulatedHost", config: SimConfig, journal: Journal) -> None:
        self.host = host
        self.config = config
        self.journal = journal
        self.live: list[VllmProcess | RayRank] = []
        self.in_ray: set[str] = set()
        """Containers that joined Ray."""
        self.compiled: set[str] = set()
        """Repositories whose graphs are in the compile cache."""
        self.peers: tuple[Runtimes, ...] = ()
        self._fewer = asyncio.Event()
        self._meters: dict[str, Meter] = {}

    def model(self, repo: str) -> SimModel | None:
        """Return a model that is whole on this host's disk, by repository."""
        for model in (*self.config.catalogue, *OFFERED):
            if model.repo == repo:
                snapshots = self.host.sandbox.hub / model.folder / "snapshots"
                shards = len(list(snapshots.glob("*/*.safetensors")))
                return model if shards >= model.shards else None
        return None

    async def serve(
        self,
        call: Call,
        options: Mapping[str, Any],
        given: Mapping[str, Any],
        argv: tuple[str, ...],
    ) -> int:
        """Be a vLLM server until it dies or its process is killed.

        ``options`` are all of them, ``given`` those that differ from their defaults.
        """
        process = VllmProcess(self, call, options, given, argv)
        self.live.append(process)
        try:
            return await process.run()
        finally:
            try:
                await process.close()
            finally:
                # Also when its container is stopped just then: nobody may wait for it for ever.
                self.leave(process)

    def leave(self, process: VllmProcess | RayRank) -> None:
        """Count a process among the dead; whoever waits for that wakes up."""
        if process in self.live:
            self.live.remove(process)
        previous, self._fewer = self._fewer, asyncio.Event()
        previous.set()

    async def until_ended(self, container_id: str | None = None) -> None:
        """Wait until no process runs in a container any more, or in none of them."""
        while any(container_id in {None, process.container_id} for process in self.live):
            await self._fewer.wait()

    def rows(self, container_id: str) -> list[tuple[int, int, str]]:
        """Return the processes in a container for ``docker top``."""
        return [
            row
            for process in self.live
            if process.container_id == container_id
            for row in process.rows()
        ]

    def meter(self, container_id: str) -> Meter:
        """Return the counters of a container, at 0 for a new one."""
        return self._meters.setdefault(container_id, Meter())

    def control_group(self, container_id: str) -> dict[str, str]:
        """Return the files of a container's control group by name."""
        meter = self.meter(container_id)
        mine = [process for process in self.live if process.container_id == container_id]
        cpu = sum(process.cpu_seconds for process in mine)
        return {
            "io.stat": f"259:0 rbytes={meter.read_bytes} wbytes=4096 rios=12 wios=1 dbytes=0 "
            "dios=0\n",
            "cpu.stat": f"usage_usec {int(cpu * 1e6)}\nuser_usec {int(cpu * 8e5)}\n"
            f"system_usec {int(cpu * 2e5)}\n",
            "memory.events": f"low 0\nhigh 0\nmax 0\noom 0\noom_kill {meter.oom_kills}\n"
            "oom_group_kill 0\n",
        }

    def end(self, container_id: str) -> None:
        """End what runs in a container in the foreground of somebody's ``docker exec``."""
        for process in self.live:
            if process.container_id == container_id and isinstance(process, VllmProcess):
                end(process.pid)

    def forget(self, container_id: str) -> None:
        """Drop the counters of a container that is gone."""
        self._meters.pop(container_id, None)

    def usage(self) -> GpuUsage:
        """Return what the GPU does."""
        busy = any(process.generating for process in self.live)
        spins = any(process.spins for process in self.live)
        loading = any(process.loading and not process.waits for process in self.live)
        percent = 96 if spins else 94 if busy else 31 if loading else 0
        apps = tuple(row for process in self.live if (row := process.gpu_app()) is not None)
        return GpuUsage(percent=percent, load=percent / 20, apps=apps)

    async def go_dark(self) -> None:
        """Close every listener and connection, as when the host is gone from the network."""
        await asyncio.gather(*(process.go_dark() for process in self.live))

    async def come_back(self) -> None:
        """Listen again."""
        await asyncio.gather(*(process.come_back() for process in self.live))

    async def close(self) -> None:
        """Release what is left."""
        for process in list(self.live):
            await process.close()
