"""A plant whose control box can lose its power: what was not synced is gone.

The Sparks stand elsewhere and go on.
"""

import asyncio
import os
import signal
from pathlib import Path

from chaos_lab.loop_disk import LoopDisk
from chaos_lab.plant import Plant

from spark_common.bus.server_config import render
from spark_common.embedded import NatsServer, RedisServer


class CarelessRedis(RedisServer):
    """Syncs when it likes, as Redis does unless it is told otherwise."""

    def _render(self) -> str:
        return super()._render().replace("appendfsync always", "appendfsync everysec")


def careless_nats(*args: object, **kwargs: object) -> str:
    """Render the configuration of a nats-server that syncs every two minutes, as usual."""
    text = render(*args, **kwargs)  # type: ignore[arg-type]
    assert "sync_interval: always" in text
    return text.replace("sync_interval: always", "sync_interval: 2m")


class ControlBox(Plant):
    """nats-server, redis-server and swapper on one disk."""

    def __init__(self, root: Path, disk: LoopDisk, redis: type[RedisServer] = RedisServer) -> None:
        super().__init__(root)
        self.nats = NatsServer(disk.place / "nats")
        self.redis = redis(disk.place / "redis")
        self._disk = disk

    async def cut_power(self) -> None:
        """Stop everything at one moment, keep what reached the disk, and start from that."""
        assert self.current is not None
        self.signal(self.current, signal.SIGSTOP)
        for pid in (self.nats.pid, self.redis.pid):
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
        image = await self._disk.what_reached_it()
        await asyncio.gather(self.end_swapper(), self.nats.kill(), self.redis.kill())
        self._disk.come_back_as(image)
        await asyncio.gather(self.nats.start(), self.redis.start())
        await self.provision()
        await self.start_swapper()
