"""One run of the product on this machine: its parts in stages, and what is said about them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from spark_cli.infrastructure import ServerPart
from spark_cli.nursery import Nursery
from spark_cli.parts import Part, clean_environment
from spark_cli.run_folder import RunFolder
from spark_cli.services import GATEWAY_PORT, Wiring, service_programs
from spark_cli.simulator import SimulatedSparks, simulator_program
from spark_cli.ssh_key import ensure_key
from spark_cli.supervisor import Stage, Supervisor
from spark_cli.terminal import Terminal
from spark_common.embedded import NatsServer, RedisServer


@dataclass(frozen=True)
class Launch:
    """What is to run, and where."""

    folder: Path
    bind_host: str = "127.0.0.1"
    gateway_port: int = GATEWAY_PORT
    service_ports: Mapping[str, int] = field(default_factory=Wiring.usual_ports)
    simulator: SimulatedSparks | None = None
    """Two simulated Sparks; None means the real ones that ``cluster`` names."""
    cluster: Mapping[str, str] = field(default_factory=dict)
    bus: Mapping[str, str] = field(default_factory=dict)
    """NATS_* and REDIS_* of servers that run already; empty means start both."""


class Session:
    """The parts of one run. NATS and Redis come first; everything else waits for nothing."""

    def __init__(
        self, launch: Launch, folder: RunFolder, terminal: Terminal, client: httpx.AsyncClient
    ) -> None:
        self._launch = launch
        self._folder = folder
        self._terminal = terminal
        self._client = client
        self._nats = NatsServer(folder.sub("nats"))
        self._redis = RedisServer(folder.sub("redis"))
        self._nursery = Nursery(clean_environment(), folder.log("nursery"))
        self._servers = Supervisor([Stage(self._server_parts())], terminal, self.announce)
        self._rest: Supervisor | None = None

    async def start(self) -> None:
        """Bring everything up. Raises StartFailedError in a group, EmbeddedServerError."""
        await self._nursery.open()
        await self._servers.start()
        private, public = ensure_key(self._folder.sub("ssh"))
        cluster = {
            "SSH_KEY_PATH": str(private),
            "SSH_KNOWN_HOSTS": str(self._folder.path / "known_hosts"),
            **self._launch.cluster,
        }
        parts: list[Part] = []
        timing: dict[str, str] = {}
        sparks = self._launch.simulator
        if sparks is not None:
            cluster |= sparks.cluster(private, self._folder.path / "known_hosts")
            timing = sparks.timing()
            parts.append(simulator_program(sparks, public, self._folder, self._client))
        wiring = self._wiring(cluster, timing)
        parts += service_programs(wiring, self._folder, self._client, self._nursery.start)
        self._rest = Supervisor([Stage(parts)], self._terminal, self.announce)
        await self._rest.start()
        self.announce()

    async def stop(self) -> None:
        """Stop the services, then what they stand on."""
        if self._rest is not None:
            await self._rest.stop()
        await self._nursery.close()
        await self._servers.stop()

    def welcome(self) -> None:
        """Say where everything is."""
        say = self._terminal.plain
        say()
        say(f"  Dashboard   {self._url()}/")
        say(f"  OpenAI API  {self._url()}/v1")
        if not self._launch.bus:
            seed = _short(self._nats.identities.seed_file("automation"))
            say(f"  NATS        {self._nats.url}, key of automations: {seed}")
        if self._launch.simulator is None:
            _, public = ensure_key(self._folder.sub("ssh"))
            say("  SSH key     add this line to ~/.ssh/authorized_keys on every Spark:\n")
            say(f"  {public.read_text().strip()}")
        say()
        say("  Ctrl-C stops everything; the next start resumes here.")

    def announce(self) -> None:
        """Write where everything is, and which process is which, for tools and tests."""
        processes = self._servers.processes()
        if self._rest is not None:
            processes |= self._rest.processes()
        facts: dict[str, object] = {
            "gateway": self._url(),
            "parts": processes,
            "nursery": self._nursery.pid,
            "ports": {"gateway": self._launch.gateway_port, **self._launch.service_ports},
        }
        if not self._launch.bus:
            seed = self._nats.identities.seed_file("automation")
            facts |= {"nats": self._nats.url, "automation_seed_file": str(seed)}
        if self._launch.simulator is not None:
            facts["simulator"] = self._launch.simulator.control_url
        if self._rest is not None:
            self._folder.announce(facts)

    def _url(self) -> str:
        wide = self._launch.bind_host in ("0.0.0.0", "::")  # noqa: S104 asked, not bound
        host = "127.0.0.1" if wide else self._launch.bind_host
        return f"http://{host}:{self._launch.gateway_port}"

    def _server_parts(self) -> list[Part]:
        if self._launch.bus:
            return []
        return [
            ServerPart("nats", self._nats, "event bus"),
            ServerPart("redis", self._redis, "record"),
        ]

    def _wiring(self, cluster: Mapping[str, str], timing: Mapping[str, str]) -> Wiring:
        external = self._launch.bus
        return Wiring(
            bus=external
            or {
                "NATS_URL": self._nats.url,
                "REDIS_URL": self._redis.url,
                "REDIS_USER": self._redis.user,
                "REDIS_PASSWORD_FILE": str(self._redis.password_file),
            },
            seeds=None if external else self._nats.identities.directory,
            cluster=cluster,
            timing=timing,
            bind_host=self._launch.bind_host,
            gateway_port=self._launch.gateway_port,
            ports=self._launch.service_ports,
        )


def _short(path: Path) -> str:
    """Return a path as a person here would write it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
