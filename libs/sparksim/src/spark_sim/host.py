"""One simulated Spark: its parts, and what it means to be switched to a behaviour."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from spark_sim.bridge_checkout import BridgeCheckout
from spark_sim.call import Call
from spark_sim.catalogue import SimModel
from spark_sim.checkout import Checkout
from spark_sim.checkout_files import Launcher
from spark_sim.config import SimConfig
from spark_sim.containers import Container
from spark_sim.daemon import Program, ProgramDaemon
from spark_sim.docker_cli import DockerCli
from spark_sim.docker_compose import DockerCompose
from spark_sim.docker_copy import DockerCopy
from spark_sim.docker_engine import DockerEngine
from spark_sim.docker_images import DockerImages
from spark_sim.docker_registry import DockerRegistry
from spark_sim.docker_volumes import DockerVolumes
from spark_sim.faults import Behaviour, Faults
from spark_sim.hf_disk import lay_out
from spark_sim.hf_programs import HfPrograms
from spark_sim.host_network import USUAL, HostNetwork
from spark_sim.host_power import HostPower
from spark_sim.host_programs import MACS, HostPrograms
from spark_sim.journal import Journal
from spark_sim.kernel_log import KernelLog
from spark_sim.memory import LATE_SECONDS, RETURN_SECONDS, HostMemory
from spark_sim.neighbours import Neighbours
from spark_sim.nim_services import NimServices
from spark_sim.pace import Pace
from spark_sim.ray_ranks import RayRank
from spark_sim.rsync import Rsync
from spark_sim.sandbox import Sandbox
from spark_sim.service_containers import ServiceContainers
from spark_sim.sim_model import Shape
from spark_sim.speech.kokoro import Kokoro
from spark_sim.speech.service import PORT as SPEECH_PORT
from spark_sim.speech.service import SpeechService
from spark_sim.ssh_server import HostShell
from spark_sim.strangers import USER, Strangers
from spark_sim.vllm_calls import VllmCalls
from spark_sim.vllm_package import install_vllm
from spark_sim.vllm_runtime import Runtimes

MASTER_PORT = 29_501
"""Where the ranks of a runtime over several hosts meet."""
CLOCK_OFF_SECONDS = 95
GONE = frozenset({Behaviour.UNREACHABLE, Behaviour.OFF})
SPEECH_HOST = "spark1"
_CONTAINER_PROGRAMS = ("nvidia-smi", "ray")


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
        self.kernel = KernelLog(name, readable=config.kernel_log)
        self._config = config
        self._journal = journal
        socket = sockets / f"{name}.sock"
        self.sandbox = Sandbox(config.directory / name, socket, mark, plain_user=config.plain_user)
        self._socket = socket
        self.sandbox.root.mkdir(parents=True, exist_ok=True)
        self.engine = DockerEngine(
            name, self.sandbox, journal, self.pace, config.images.get(name, {}), config.docker
        )
        self.engine.on_disk_full = lambda: self.faults.behaviour is Behaviour.DISK_FULL
        self.engine.on_drop_caches = self.memory.drop_caches
        self.engine.on_removed = lambda container: self.runtimes.forget(container)
        self.engine.name_taken = lambda: self.faults.behaviour is Behaviour.NAME_TAKEN
        self.engine.other_images = lambda: self.faults.behaviour is Behaviour.IMAGE_MISMATCH
        self.runtimes = Runtimes(self, config, journal)
        self.speech = self._speech_of(config)
        self.volumes = DockerVolumes(self.engine, journal, self.sandbox.root / "volumes.json")
        crashes = lambda: self.faults.behaviour is Behaviour.CRASH_LOOP  # noqa: E731
        self.nims = NimServices(self.engine, self.volumes, self.address, self.pace, crashes)
        # What runs beside the model gives its place up to the container that replaces it.
        self.engine.port_taken = lambda port: (
            port not in self.neighbours.ports and port in {taken for taken, _ in self.listening()}
        )
        self.engine.on_killed = self._killed
        self.engine.until_vacant = self._until_vacant
        self.shell = HostShell(
            name, self.sandbox, config.authorized_key, self.faults, journal, self.pace
        )
        self.checkout = Checkout(self.sandbox, config, self.address)
        self.bridge = BridgeCheckout(self.sandbox)
        voice = Kokoro(self.pace, partial(journal.add, name))
        voice.faults = self.faults
        self.neighbours = Neighbours(name, self.address, voice)
        self.services = ServiceContainers(
            self.engine, journal, self.pace, self.neighbours,
            lambda: self.faults.behaviour is Behaviour.SERVICE_CRASH_LOOP,
            on=config.neighbours and config.service_containers,
        )  # fmt: skip
        self.engine.on_run = self._begun
        self.engine.on_started = self._started
        self.strangers = Strangers(self.address, self.memory, self.pace)
        number = int(name.removeprefix("spark"))
        cards = MACS[name]
        self.network = HostNetwork(
            self.address, cards["enP7s7"], cards["wlP9s9"], number, USUAL.get(name, frozenset())
        )
        self.power = HostPower(self, journal)
        self.boot_id = str(uuid.uuid4())
        self._restarting: asyncio.Task[None] | None = None
        self._programs: dict[str, Program] = {}
        self._daemon = ProgramDaemon(socket, self._programs)
        self._turning = asyncio.Lock()
        self.models: tuple[SimModel, ...] = tuple(
            model for model in config.catalogue if name in model.hosts
        )

    @property
    def reachable(self) -> bool:
        """Whether anything of the host answers."""
        return self.faults.behaviour not in GONE

    async def start(self, peer: Callable[[str], "SimulatedHost | None"]) -> None:
        """Write the sandbox and listen. Raises OSError when an address or port is not to be had."""
        host_programs = HostPrograms(self, peer)
        self._programs.update(host_programs.table())
        self._programs.update(Rsync(self, peer).table())
        docker = self._docker()

        async def when_it_answers(call: Call) -> int:
            await self.faults.until_not(Behaviour.DOCKER_HANG)
            return await docker(call)

        self._programs["docker"] = when_it_answers
        own = tuple(self._programs)
        self._programs.update(VllmCalls(self, self._journal).table())
        local = HfPrograms(self, self._config.catalogue).table()
        self._programs.update(local)
        self.sandbox.build(own, _CONTAINER_PROGRAMS, local)
        install_vllm(self.sandbox)
        self.checkout.install()
        if self.services.on and self.name == SPEECH_HOST:
            await asyncio.to_thread(self.bridge.install)
        lay_out(self.sandbox.hub, self.models, self.name)
        self._hand_over()
        self.ssh_port = await self.shell.start(self.address, self._config.ssh_port)
        await self._daemon.start()
        if self.sandbox.user.drops:
            self._socket.parent.chmod(0o711)
            self._socket.chmod(0o666)
        if self._config.resume:
            await self.engine.resume()
        await self.come_back()

    def _speech_of(self, config: SimConfig) -> SpeechService | None:
        if self.name != SPEECH_HOST or not config.neighbours:
            return None
        speech = SpeechService(self.engine, self._journal, self.pace, self.address)
        speech.parakeet.faults = self.faults
        return speech

    def _begun(self, container: Container) -> None:
        self.nims.begin(container)
        self.services.begin(container)

    async def _started(self, container: Container) -> None:
        if self.speech is not None:
            await self.speech.started(container)
        self.services.begin(container)

    def _killed(self, container_id: str) -> None:
        self.runtimes.end(container_id)
        self.nims.end(container_id)
        self.services.killed(container_id)
        if self.speech is not None:
            self.speech.killed(container_id)

    async def come_back(self) -> None:
        """Have the services that this Spark always has."""
        if self.speech is not None:
            await self.speech.come()
        if self.services.on:
            await self.services.come()
        elif self._config.neighbours:
            await self.neighbours.start()

    def _docker(self) -> DockerCli:
        images = DockerImages(self.engine, self.pace, self._registry_away)
        registry = DockerRegistry(
            self.engine, self._journal, self.pace, self._registry_away,
            lambda: self.faults.behaviour is Behaviour.BAD_KEY, images.table()["pull"],
        )  # fmt: skip
        copy = DockerCopy(self.engine, self._journal)
        compose = DockerCompose(self.engine, self.pace, self._registry_away)
        others = {**copy.table(), **compose.table()}
        return DockerCli(self.engine, self.runtimes, images, registry, self.volumes, others)

    async def _until_vacant(self, container_id: str) -> None:
        await self.runtimes.until_ended(container_id)
        await self.nims.until_ended()
        await self.services.until_ended()

    def listening(self) -> Iterator[tuple[int, int]]:
        """Yield (port, uid) of everything that listens."""
        yield 22, 0
        yield from ((port, 0) for port in self.neighbours.ports)
        if self.speech is not None and self.speech.listening:
            yield SPEECH_PORT, 0
        yield from ((port, USER) for port in self.strangers.ports)
        yield from ((port, 0) for port in self.nims.ports)
        there = {one.id for one in self.engine.containers.values() if one.running}
        for runtime in self.runtimes.live:
            if (
                runtime.rank > 0
                or isinstance(runtime, RayRank)
                or runtime.container_id not in there
            ):
                continue
            if runtime.ready:
                yield runtime.port, 0
            if runtime.world > 1:
                yield MASTER_PORT, 0

    def freeze(self) -> None:
        """Run out of memory: hang, and be started anew after a while, as by a person."""
        if not self.faults.frozen:
            self.faults.freeze(frozen=True)
            self._journal.add(self.name, "host_frozen")
            self._restarting = asyncio.create_task(self._be_restarted())

    async def restart(self) -> None:
        """Start anew: no process, no container that was not told to come back, another boot id."""
        await self.shell.stop()
        await self.shell.end_commands()
        for container in list(self.engine.containers.values()):
            if container.running:
                self.engine.kill(container)
            self.engine.remove(container)
        await self.runtimes.until_ended()
        self.memory.start_anew()
        self.boot_id = str(uuid.uuid4())
        self.faults.freeze(frozen=False)
        await self.come_back()
        await self.shell.start(self.address, self.ssh_port)
        self._journal.add(self.name, "host_restarted")

    async def thaw(self) -> None:
        """Start a host that hangs anew at once; any other stays as it is."""
        async with self._turning:
            if self._restarting is not None:
                self._restarting.cancel()
                await asyncio.gather(self._restarting, return_exceptions=True)
                self._restarting = None
            if self.faults.frozen:
                await self.restart()

    async def _be_restarted(self) -> None:
        await self.pace.sleep(self._config.reboot_seconds)
        async with self._turning:
            await self.restart()

    def _hand_over(self) -> None:
        """Let everything belong to whom it belongs on a Spark."""
        user, box = self.sandbox.user, self.sandbox
        user.require_way(box.root)
        roots = [model.folder for model in self.models if model.shape is Shape.ROOTS]
        user.take_over(box.home, box.hub, roots)

    def _registry_away(self) -> bool:
        return self.faults.behaviour is Behaviour.NO_REGISTRY

    async def stop(self) -> None:
        """Stop everything; containers that run stay running in the host's file."""
        if self._restarting is not None:
            self._restarting.cancel()
            await asyncio.gather(self._restarting, return_exceptions=True)
        await self.power.close()
        await self.strangers.close()
        await self.shell.stop()
        await self.shell.end_commands()
        await self.services.close()
        await self.nims.close()
        if self.speech is not None:
            await self.speech.close()
        await self.engine.close()
        await self._daemon.stop()
        await self.runtimes.close()
        self.memory.close()
        self.sandbox.user.give_back(self.sandbox.hub)

    async def turn(self, behaviour: Behaviour) -> None:
        """Switch to a behaviour."""
        async with self._turning:
            before = self.faults.behaviour
            if before is behaviour:
                return
            self.faults.turn(behaviour)
            self.pace.drag = 10.0 if behaviour is Behaviour.SLOW else 1.0
            await self.strangers.leak(behaviour is Behaviour.MEMORY_LEAK)
            self.memory.foreign_kb = 80e6 if behaviour is Behaviour.LOW_MEMORY else 0.0
            late = behaviour is Behaviour.MEMORY_LATE
            self.memory.return_seconds = LATE_SECONDS if late else RETURN_SECONDS
            if behaviour is Behaviour.CACHE_FULL:
                self.memory.clog()
            await self._take_port(behaviour is Behaviour.PORT_TAKEN)
            self.services.crash_all()
            self.sandbox.set_clock(CLOCK_OFF_SECONDS if behaviour is Behaviour.CLOCK_SKEW else 0)
            self._journal.add(self.name, "behaviour", behaviour=str(behaviour))
            await self._rewire(before, behaviour)

    def use_launcher(self, launcher: Launcher) -> None:
        """Let the checkout be of another time."""
        self.checkout.use_launcher(launcher)
        self._journal.add(self.name, "launcher", launcher=launcher)

    async def _take_port(self, on: bool) -> None:
        try:
            await self.strangers.take_port(on)
        except OSError:
            self._journal.add(self.name, "port_not_free")

    async def _rewire(self, before: Behaviour, behaviour: Behaviour) -> None:
        keyed = {Behaviour.CHANGED_HOST_KEY, *GONE}
        if behaviour in keyed or before in keyed:
            await self.shell.stop()
        if behaviour in GONE:
            await self.neighbours.stop()
            if self.speech is not None:
                await self.speech.go_dark()
            await self.runtimes.go_dark()
            return
        if before in keyed or behaviour in keyed:
            changed = behaviour is Behaviour.CHANGED_HOST_KEY
            await self.shell.start(self.address, self.ssh_port, changed)
        if before in GONE:
            await self.come_back()
            await self.runtimes.come_back()
