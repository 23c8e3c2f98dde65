"""The real process of audio-proxy, without Redis and NATS, for what only a process can show."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from spark_common.testing.process import ServiceProcess


@dataclass(frozen=True)
class Running:
    """Where it answers, and which process it is."""

    url: str
    pid: int


@asynccontextmanager
async def audio_process(folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Running]:
    """Run it until left; its files are below ``folder``."""
    settings = {
        "NATS_URL": "nats://127.0.0.1:9", "REDIS_URL": "redis://127.0.0.1:9/0",
        "SPARK1_HOST": "127.0.0.1", "SPARK1_USER": "alice", "DATA_DIR": str(folder),
        **environment,
    }  # fmt: skip
    async with ServiceProcess("spark_audio_proxy", settings, folder / "log") as service:
        while (await service.get("/api/audio/status")).status_code != httpx.codes.OK:
            await asyncio.sleep(0.05)
        pid = service.said("service.listening")[0].get("pid") or _child(os.getpid())
        yield Running(service.url, pid)


def _child(parent: int) -> int:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            line = (entry / "cmdline").read_bytes()
            status = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(status[1]) == parent and b"spark_audio_proxy\0" in line:
                return int(entry.name)
    raise RuntimeError("the process is gone")
