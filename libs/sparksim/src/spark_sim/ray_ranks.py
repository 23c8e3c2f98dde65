"""Ray between the containers of two Sparks: who joined, and the ranks that run on the others."""

import asyncio
from typing import TYPE_CHECKING

from spark_sim.call import Call
from spark_sim.load_failures import Stage
from spark_sim.pace import epoch

if TYPE_CHECKING:
    from spark_sim.vllm_runtime import Runtimes

_FIRST_PID = 900_000


class RayRank:
    """A rank of a model that a server on another Spark started here through Ray."""

    port = 0
    ready = generating = waits = hung = spins = False
    loading = True
    reached = Stage.GRAPHS
    """It never lags behind: what it waits for is told by the server's own log."""

    def __init__(self, owner: "Runtimes", container_id: str, repo: str, rank: int) -> None:
        self._owner = owner
        self.container_id = container_id
        self.repo = repo
        self.rank = rank
        self.pid = _FIRST_PID + rank
        self._born = epoch()
        self._held_gib = 0.0

    @property
    def cpu_seconds(self) -> float:
        """Computing time so far."""
        return (epoch() - self._born) * self._owner.host.pace.speed

    def hold(self, gib: float) -> None:
        """Set what it holds."""
        self._held_gib = gib
        self._owner.host.memory.hold(self.pid, gib)

    def rows(self) -> list[tuple[int, int, str]]:
        """Return its row for ``docker top``."""
        return [(self.pid, int(epoch() - self._born), "ray::RayWorkerWrapper.execute_method")]

    def gpu_app(self) -> tuple[int, str, int] | None:
        """Return its row for the GPU's list, once it holds memory."""
        if not self._held_gib:
            return None
        return self.pid, "ray::RayWorkerWrapper", int(self._held_gib * 1024)

    async def close(self) -> None:
        """Give its memory back."""
        if self._held_gib:
            self._held_gib = 0.0
            self._owner.host.memory.release(self.pid)
        self._owner.leave(self)

    async def go_dark(self) -> None:
        """Nothing listens."""

    async def come_back(self) -> None:
        """Nothing listens."""


async def ray(runtimes: "Runtimes", call: Call) -> int:
    """Answer ``ray start --block`` and ``ray status`` in a container."""
    container = call.env.get("SPARK_SIM_CONTAINER", "")
    if call.argv[:1] == ("status",):
        if container not in runtimes.in_ray:
            await call.err("ConnectionError: Could not find any running Ray instance.\n")
            return 1
        await call.out("======== Autoscaler status ========\nActive:\n 1 node\n")
        return 0
    if call.argv[:1] != ("start",):
        await call.err(f"Error: No such command '{' '.join(call.argv[:1])}'.\n")
        return 2
    runtimes.in_ray.add(container)
    await call.out("Ray runtime started.\n")
    try:
        await asyncio.Event().wait()
    finally:
        runtimes.in_ray.discard(container)
        for process in list(runtimes.live):
            if isinstance(process, RayRank) and process.container_id == container:
                await process.close()
    return 0
