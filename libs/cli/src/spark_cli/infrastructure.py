"""NATS and Redis as parts: the embedded servers, watched like everything else."""

from dataclasses import dataclass, field

from spark_common.embedded import NatsServer, RedisServer


@dataclass
class ServerPart:
    """An embedded server. Its ``start`` returns when it answers, so it is ready at once."""

    name: str
    server: NatsServer | RedisServer
    what: str
    _started: bool = field(default=False, init=False)

    @property
    def pid(self) -> int | None:
        """Process number of the current start."""
        return self.server.pid

    async def start(self) -> None:
        """Start it; its own check waits until it answers."""
        await self.server.start()
        self._started = True

    async def ready(self) -> str | None:
        """It answered when it started."""
        return f"{self.what} at {self.server.url}" if self._started else None

    async def wait(self) -> int:
        """Wait for its end."""
        return await self.server.wait()

    async def stop(self, seconds: float) -> None:
        """End it in order, so that everything it holds is on disk."""
        await self.server.terminate()

    def last_words(self) -> str:
        """Return the line of its log that explains a death."""
        return self.server.last_words()
