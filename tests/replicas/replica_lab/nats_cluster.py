"""Three nats-servers that keep the same streams, with the identities and rules of one."""

import asyncio
import os
import signal
from pathlib import Path

import httpx

from spark_common.bus.server_config import render
from spark_common.embedded import NatsServer
from spark_common.embedded.binaries import NATS, find_binary
from spark_common.embedded.child import Child, prepare_directory, write_private
from spark_common.plain_http import plain_client
from spark_common.settings import BusSettings
from spark_common.testing.ports import free_port


class ClusterNode:
    """One of them."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.port, self.monitor, self.route = free_port(), free_port(), free_port()
        self._folder = folder
        self._child = Child(NATS.program, folder)

    async def start(self, keys: dict[str, str], routes: list[int]) -> None:
        """Start and wait until JetStream answers."""
        prepare_directory(self._folder)
        config = self._folder / "nats.conf"
        text = render(
            keys,
            store_dir=self._folder / "jetstream",
            listen=f"127.0.0.1:{self.port}",
            monitor=f"127.0.0.1:{self.monitor}",
        ).replace("server_name: spark-control", f"server_name: {self.name}")
        others = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes)
        place = f'listen: "127.0.0.1:{self.route}"'
        write_private(config, f"{text}cluster {{ name: spark, {place}, routes: [{others}] }}\n")
        await self._child.start([await find_binary(NATS), "-c", config], self._answers)

    async def kill(self) -> None:
        """Kill -9."""
        if self._child.pid is not None:
            os.kill(self._child.pid, signal.SIGKILL)
            await self._child.wait()

    async def _answers(self) -> bool:
        async with plain_client(timeout=1.0) as client:
            try:
                reply = await client.get(f"http://127.0.0.1:{self.monitor}/healthz")
            except httpx.HTTPError:
                return False
        return reply.status_code == httpx.codes.OK


class NatsCluster:
    """Three nodes; clients are told of the other two by the one they reach first."""

    def __init__(self, folder: Path) -> None:
        self._identities = NatsServer(folder / "identities").identities
        self.nodes = {name: ClusterNode(name, folder / name) for name in ("n1", "n2", "n3")}

    async def start(self) -> None:
        """Start all, which wait for one another."""
        await asyncio.gather(*(self.revive(name) for name in self.nodes))

    async def revive(self, name: str) -> None:
        """Start one."""
        routes = [node.route for node in self.nodes.values()]
        await self.nodes[name].start(dict(self._identities.public_keys), routes)

    async def kill(self) -> None:
        """End all."""
        await asyncio.gather(*(node.kill() for node in self.nodes.values()))

    def settings(self, name: str, node: str = "n1") -> BusSettings:
        """Return what a service needs to connect."""
        url = f"nats://127.0.0.1:{self.nodes[node].port}"
        return BusSettings(url=url, seed_file=self._identities.seed_file(name))
