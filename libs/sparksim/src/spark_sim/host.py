"""One simulated Spark: its parts, and what it means to be switched to a behaviour."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from spark_sim.catalogue import SimModel
from spark_sim.checkout import Checkout
from spark_sim.config import SimConfig
from spark_sim.daemon import Program, ProgramDaemon
from spark_sim.docker_cli import DockerCli
from spark_sim.docker_engine import DockerEngine
from spark_sim.docker_images import DockerImages
from spark_sim.faults import Behaviour, Faults
from spark_sim.hf_disk import lay_out
from spark_sim.hf_programs import HfPrograms
from spark_sim.host_programs import HostPrograms
from spark_sim.journal import Journal
from spark_sim.memory import HostMemory
from spark_sim.neighbours import Neighbours
from spark_sim.pace import Pace
from spark_sim.rsync import Rsync
from spark_sim.sandbox import Sandbox
from spark_sim.ssh_server import HostShell
from spark_sim.vllm_calls import VllmCalls
from spark_sim.vllm_package import install_vllm
from spark_sim.vllm_runtime import Runtimes

_CONTAINER_PROGRAMS = ("nvidia-smi",)


class SimulatedHost:
    """A Spark with its shell, docker, memory, disk and services."""

    def __init__(
        self, name: str, config: SimConfig, journal: Journal, sockets: Path, mark: str
    ) -> None:
        self.name = name
        self.address = config.addresses[name]
        self.ssh_port = config.ssh_port
        self.faults = Faults()
        self.pace = Pace(config.speed)
        self.memory = HostMemory(self.pace)
        self._config = config
        self._journal = journal
        socket = sockets / f"{name}.sock"
        self.sandbox = Sandbox(config.directory / name, socket, mark)
        self.sandbox.root.mkdir(parents=True, exist_ok=True)
        self.engine = DockerEngine(
            name, self.sandbox, journal, self.pace, config.images.get(name, {})
        )
        self.engine.on_disk_full = lambda: self.faults.behaviour is Behaviour.DISK_FULL
        self.engine.on_drop_caches = self.memory.drop_caches
        self.runtimes = Runtimes(self, config, journal)
        self.engine.occupied = lambda container: bool(self.runtimes.rows(container))
        self.shell = HostShell(
            name, self.sandbox, config.authorized_key, self.faults, journal, self.pace
        )
        self.checkout = Checkout(self.sandbox, config, self.address)
        self.neighbours = Neighbours(name, self.address)
        self._programs: dict[str, Program] = {}
        self._daemon = ProgramDaemon(socket, self._programs)
        self._turning = asyncio.Lock()
        self.models: tuple[SimModel, ...] = tuple(
            model for model in config.catalogue if name in model.hosts
        )

    @property
    def reachable(self) -> bool:
        """Whether anything of the host answers."""
        return self.faults.behaviour is not Behaviour.UNREACHABLE

    async def start(self, peer: Callable[[str], "SimulatedHost | None"]) -> None:
        """Write the sandbox and listen. Raises OSError when an address or port is not to be had."""
        host_programs = HostPrograms(self, peer)
        self._programs.update(host_programs.table())
        self._programs.update(Rsync(self, peer).table())
        self._programs["docker"] = DockerCli(
            self.engine, self.runtimes, DockerImages(self.engine, self.pace, self._registry_away)
        )
        own = tuple(self._programs)
        self._programs.update(VllmCalls(self, self._journal).table())
        local = HfPrograms(self, self._config.catalogue).table()
        self._programs.update(local)
        self.sandbox.build(own, _CONTAINER_PROGRAMS, local)
        install_vllm(self.sandbox)
        self.checkout.install()
        lay_out(self.sandbox.hub, self.models)
        self.ssh_port = await self.shell.start(self.address, self._config.ssh_port)
        await self._daemon.start()
        if self._config.neighbours:
            await self.neighbours.start()
        if self._config.resume:
            await self.engine.resume()

    def _registry_away(self) -> bool:
        return self.faults.behaviour is Behaviour.NO_REGISTRY

    async def stop(self) -> None:
        """Stop everything; containers that run stay running in the host's file."""
        await self.shell.stop()
        self.shell.end_commands()
        await self.neighbours.stop()
        await self.engine.close()
        await self._daemon.stop()
        await self.runtimes.close()
        self.memory.close()

    async def turn(self, behaviour: Behaviour) -> None:
        """Switch to a behaviour."""
        async with self._turning:
            before = self.faults.behaviour
            if before is behaviour:
                return
            self.faults.turn(behaviour)
            self.pace.drag = 10.0 if behaviour is Behaviour.SLOW else 1.0
            self.memory.foreign_kb = 80e6 if behaviour is Behaviour.LOW_MEMORY else 0.0
            self._journal.add(self.name, "behaviour", behaviour=str(behaviour))
            await self._rewire(before, behaviour)

    async def _rewire(self, before: Behaviour, behaviour: Behaviour) -> None:
        keyed = {Behaviour.CHANGED_HOST_KEY, Behaviour.UNREACHABLE}
        if behaviour in keyed or before in keyed:
            await self.shell.stop()
        if behaviour is Behaviour.UNREACHABLE:
            await self.neighbours.stop()
            await self.runtimes.go_dark()
            return
        if before in keyed or behaviour in keyed:
            changed = behaviour is Behaviour.CHANGED_HOST_KEY
            await self.shell.start(self.address, self.ssh_port, changed)
        if before is Behaviour.UNREACHABLE:
            if self._config.neighbours:
                await self.neighbours.start()
            await self.runtimes.come_back()
