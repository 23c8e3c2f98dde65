"""An embedded nats-server with identities, permissions and a sync on every write."""

from pathlib import Path
from typing import Literal

import httpx

from spark_common.bus.automations import AutomationError, AutomationFolder
from spark_common.bus.identities import DamagedSeedError, Identities
from spark_common.bus.server_check import server_problem
from spark_common.bus.server_config import places_of, render
from spark_common.embedded.binaries import NATS, find_binary
from spark_common.embedded.child import (
    Child,
    PortTakenError,
    ServerStartError,
    free_port,
    prepare_directory,
    require_free_port,
    write_private,
)
from spark_common.plain_http import plain_client
from spark_common.settings import BusSettings


class NatsServer:
    """nats-server on loopback; the same folder resumes identities, streams and consumers."""

    def __init__(self, directory: Path, port: int = 0, monitor_port: int = 0) -> None:
        self.directory = directory
        self._port = port
        self._monitor_port = monitor_port
        self._child = Child(NATS.program, directory)
        self._identities: Identities | None = None

    @property
    def url(self) -> str:
        """Where clients connect; known once it was started."""
        return f"nats://127.0.0.1:{self._port}"

    @property
    def monitor_url(self) -> str:
        """Where ``/varz`` and ``/healthz`` are; known once it was started."""
        return f"http://127.0.0.1:{self._monitor_port}"

    @property
    def identities(self) -> Identities:
        """The seeds of all services; made at first use. Raises ServerStartError."""
        if self._identities is None:
            prepare_directory(self.directory)
            try:
                self._identities = Identities.load_or_create(self.directory / "identities")
            except DamagedSeedError as error:
                raise ServerStartError(str(error)) from error
        return self._identities

    @property
    def config_file(self) -> Path:
        """Where its configuration is; written at every start."""
        return self.directory / "nats.conf"

    @property
    def pid(self) -> int | None:
        """Process number while it runs."""
        return self._child.pid

    def settings(self, name: str) -> BusSettings:
        """Return what a service needs to connect under its identity."""
        return BusSettings(url=self.url, seed_file=self.identities.seed_file(name))

    async def start(self) -> None:
        """Start and wait until JetStream answers; raises EmbeddedServerError in one line."""
        binary = await find_binary(NATS)
        keys = self.identities.public_keys
        # Chosen once: clients find a restarted server where it was.
        self._port = self._port or self._usual_port("listen") or free_port()
        self._monitor_port = self._monitor_port or self._usual_port("monitor") or free_port()
        for port in (self._port, self._monitor_port):
            require_free_port(NATS.program, port)
        try:
            automations = AutomationFolder.below(self.identities.directory).public_keys()
        except AutomationError as error:
            raise ServerStartError(str(error)) from error
        config = self.config_file
        text = render(
            keys,
            automations=automations,
            store_dir=(self.directory / "jetstream").absolute(),
            listen=f"127.0.0.1:{self._port}",
            monitor=f"127.0.0.1:{self._monitor_port}",
        )
        write_private(config, text)
        await self._child.start([binary, "-c", config.absolute()], self._answers)
        problem = await server_problem(self.monitor_url)
        if problem is not None:
            await self._child.kill()
            raise ServerStartError(problem)

    def _usual_port(self, which: Literal["listen", "monitor"]) -> int:
        """Return the port of the run before, which automations wrote down; 0 when it is taken."""
        try:
            places = places_of(self.config_file.read_text(encoding="utf-8"))
            port = int(getattr(places, which).rpartition(":")[2])
            require_free_port(NATS.program, port)
        except (OSError, ValueError, OverflowError, PortTakenError):
            return 0
        return port

    async def wait(self) -> int:
        """Wait for its end and return the exit code."""
        return await self._child.wait()

    async def terminate(self) -> None:
        """End it in order."""
        await self._child.terminate()

    async def kill(self) -> None:
        """End it without a chance to tidy up."""
        await self._child.kill()

    def last_words(self) -> str:
        """Return the last line of its log."""
        return self._child.last_words()

    async def _answers(self) -> bool:
        async with plain_client(timeout=1.0) as client:
            try:
                reply = await client.get(f"{self.monitor_url}/healthz")
            except httpx.HTTPError:
                return False
        return reply.status_code == httpx.codes.OK
