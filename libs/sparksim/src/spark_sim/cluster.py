"""Two simulated Sparks as one asynchronous context manager."""

import asyncio
import socket
from types import TracebackType

from spark_sim.checkout import CheckoutState
from spark_sim.checkout_files import Launcher
from spark_sim.config import CONTROL_ADDRESS, SimConfig
from spark_sim.control_api import ControlApi
from spark_sim.faults import Behaviour
from spark_sim.host import SPEECH_HOST, SimulatedHost
from spark_sim.journal import Journal
from spark_sim.speech.kokoro import Kokoro
from spark_sim.speech.parakeet import Parakeet
from spark_sim.tenancy import Tenancy
from spark_sim.vllm_http.server import EmbeddedServer
from spark_sim.wake_listener import WakeListener


class SimulatedCluster:
    """Both hosts, their control API and their journal.

    ``async with SimulatedCluster(config) as cluster``: entering listens everywhere, leaving ends
    every process that was started inside. Raises OSError when the directory, an address or a port
    is not to be had.
    """

    def __init__(self, config: SimConfig) -> None:
        self.config = config
        self._tenancy = Tenancy(config.directory)
        self.journal = Journal(config.directory)
        self._packets = WakeListener(self._heard)
        self.hears_packets = False
        """Whether magic packets are heard: their port is only for root."""
        self.hosts = {
            name: SimulatedHost(
                name, config, self.journal, self._tenancy.sockets, self._tenancy.mark
            )
            for name in config.addresses
        }
        for host in self.hosts.values():
            host.runtimes.peers = tuple(
                other.runtimes for other in self.hosts.values() if other is not host
            )
        self.control_port = config.control_port
        self._control = EmbeddedServer(ControlApi(self).app)

    @property
    def control_url(self) -> str:
        """Address of the control API."""
        return f"http://{CONTROL_ADDRESS}:{self.control_port}"

    async def __aenter__(self) -> "SimulatedCluster":
        """Start. Raises OSError."""
        try:
            listener = socket.create_server((CONTROL_ADDRESS, self.config.control_port))
            self.control_port = listener.getsockname()[1]
            for host in self.hosts.values():
                await host.start(self._by_address)
            await self._control.start(listener)
            self.hears_packets = await self._packets.start(
                next(iter(self.hosts.values())).network.broadcast
            )
        except BaseException:
            await self._stop()
            raise
        self.journal.add("simulator", "started")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Stop."""
        await self._stop()
        self.journal.add("simulator", "stopped")
        self.journal.close()

    async def behave(self, host: str, behaviour: Behaviour | str) -> None:
        """Switch one host, or ``all``, to a behaviour."""
        chosen = list(self.hosts.values()) if host == "all" else [self.hosts[host]]
        await asyncio.gather(*(one.turn(Behaviour(behaviour)) for one in chosen))

    def use_launcher(self, host: str, launcher: Launcher) -> None:
        """Let the checkout of one host, or of ``all``, be of another time."""
        for one in list(self.hosts.values()) if host == "all" else [self.hosts[host]]:
            one.use_launcher(launcher)

    def pace(self, speed: float) -> None:
        """Let the seconds of all hosts pass ``speed`` times faster, those under way as well."""
        for one in self.hosts.values():
            one.pace.speed = speed

    async def check_out(self, host: str, state: CheckoutState | str) -> None:
        """Put the checkout of one host, or of ``all``, into a state."""
        chosen = list(self.hosts.values()) if host == "all" else [self.hosts[host]]
        for one in chosen:
            await asyncio.to_thread(one.checkout.become, CheckoutState(state))
            self.journal.add(one.name, "checkout", state=str(state))

    async def reset(self) -> None:
        """Go back to the beginning: all well, no container, old images, an empty journal."""
        await self.behave("all", Behaviour.OK)
        for host in self.hosts.values():
            for container in list(host.engine.containers.values()):
                if container.running:
                    host.engine.kill(container)
                host.engine.remove(container)
            await host.thaw()
            await host.runtimes.until_ended()
            host.runtimes.compiled.clear()
            await host.nims.until_ended()
            host.volumes.clear()
            host.engine.images.reset()
            await host.come_back()
            host.neighbours.voice.forget()
            if host.speech is not None:
                host.speech.parakeet.forget()
            await asyncio.to_thread(host.checkout.become, CheckoutState.BEHIND)
        self.journal.clear()

    def parakeet(self) -> Parakeet | None:
        """Speech to text, if it is there."""
        found = (host.speech.parakeet for host in self.hosts.values() if host.speech is not None)
        return next(found, None)

    def kokoro(self) -> Kokoro | None:
        """Text to speech, if it is there."""
        host = self.hosts.get(SPEECH_HOST)
        return host.neighbours.voice if host is not None and self.config.neighbours else None

    def state(self) -> dict[str, object]:
        """Return what each host is and does."""
        return {
            "speed": next(iter(self.hosts.values())).pace.speed,
            "hosts": {
                name: {
                    "address": host.address,
                    "ssh_port": host.ssh_port,
                    "behaviour": str(host.faults.behaviour),
                    "memory_available_bytes": host.memory.available_kb * 1024,
                    "containers": [
                        {"name": c.spec.name, "id": c.id, "status": c.status,
                         "image": c.spec.image}
                        for c in host.engine.containers.values()
                    ],
                    "runtimes": [
                        {"repo": r.repo, "port": r.port, "rank": r.rank, "ready": r.ready,
                         "loading": r.loading}
                        for r in host.runtimes.live
                    ],
                }
                for name, host in self.hosts.items()
            },
        }  # fmt: skip

    def _by_address(self, address: str) -> SimulatedHost | None:
        return next((h for h in self.hosts.values() if address in {h.address, h.name}), None)

    def _heard(self, packet: bytes) -> None:
        for host in self.hosts.values():
            host.power.packet(packet)

    async def _stop(self) -> None:
        await self._control.stop()
        self._packets.close()
        for host in self.hosts.values():
            await host.stop()
        await asyncio.to_thread(self._tenancy.leave)
