"""The runtimes of a host: who serves, who holds which memory, who listens."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spark_sim.call import Call
from spark_sim.catalogue import SimModel
from spark_sim.config import SimConfig
from spark_sim.hub import OFFERED
from spark_sim.journal import Journal
from spark_sim.nvidia_smi import GpuUsage
from spark_sim.vllm_process import VllmProcess

if TYPE_CHECKING:
    from spark_sim.host import SimulatedHost


class Runtimes:
    """The vLLM processes of one host."""

    def __init__(self, host: "SimulatedHost", config: SimConfig, journal: Journal) -> None:
        self.host = host
        self.config = config
        self.journal = journal
        self.live: list[VllmProcess] = []
        self.compiled: set[str] = set()
        """Repositories whose graphs are in the compile cache."""
        self.peers: tuple[Runtimes, ...] = ()

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
                self.live.remove(process)

    def rows(self, container_id: str) -> list[tuple[int, int, str]]:
        """Return the processes in a container for ``docker top``."""
        return [
            row
            for process in self.live
            if process.container_id == container_id
            for row in process.rows()
        ]

    def usage(self) -> GpuUsage:
        """Return what the GPU does."""
        busy = any(process.generating for process in self.live)
        loading = any(process.loading for process in self.live)
        percent = 94 if busy else 31 if loading else 0
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
