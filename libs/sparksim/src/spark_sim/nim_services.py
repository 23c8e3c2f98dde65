"""What runs in the NIM containers of a simulated host."""

import asyncio
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from spark_sim import nvcr
from spark_sim.containers import Container
from spark_sim.docker_engine import DockerEngine
from spark_sim.docker_volumes import DockerVolumes
from spark_sim.pace import Pace
from spark_sim.speech.magpie import Magpie
from spark_sim.vllm_http.exchange import Receive, Send
from spark_sim.vllm_http.server import EmbeddedServer

CACHE = "/opt/nim/.cache"
_FIRST_SECONDS = 600.0
"""Its first start downloads the model."""
_NEXT_SECONDS = 60.0
_CRASH_SECONDS = 4.0


@dataclass
class _Nim:
    container: Container
    ready: bool = False
    port: int | None = None
    server: EmbeddedServer | None = None
    task: "asyncio.Task[None] | None" = field(default=None, repr=False)
    speech: Magpie | None = None
    """What it does, where it speaks."""

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Be the HTTP server of a NIM."""
        if self.speech is not None:
            self.speech.ready = self.ready
            await self.speech(scope, receive, send)
            return
        path = scope["path"]
        if path == "/v1/health/live":
            status, body = 200, {"object": "health.response", "message": "Service is live."}
        elif path == "/v1/health/ready":
            status = 200 if self.ready else 503
            said = "Service is ready." if self.ready else "Service is not ready."
            body = {"object": "health.response", "message": said}
        else:
            status, body = 404, {"object": "error", "message": "Not Found"}
        payload = json.dumps(body).encode()
        head = [(b"content-type", b"application/json"),
                (b"content-length", str(len(payload)).encode())]  # fmt: skip
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": payload})


class NimServices:
    """Starts them with their containers and ends them with them."""

    def __init__(
        self, engine: DockerEngine, volumes: DockerVolumes, address: str, pace: Pace,
        crashes: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._engine = engine
        self._volumes = volumes
        self._address = address
        self._pace = pace
        self._crashes = crashes
        self._live: dict[str, _Nim] = {}
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def ports(self) -> tuple[int, ...]:
        """Ports that docker publishes for them, whether or not anything answers yet."""
        return tuple(
            port
            for one in self._engine.containers.values()
            if one.running and nvcr.by_id(one.image_id) is not None
            for port, _ in one.spec.published
        )

    def begin(self, container: Container) -> None:
        """Let what is in a container run, if it is a NIM."""
        if nvcr.by_id(container.image_id) is None or container.id in self._live:
            return
        nim = self._live[container.id] = _Nim(container)
        if "magpie" in container.spec.image:
            nim.speech = Magpie(self._pace, lambda *_, **__: None)
        nim.task = asyncio.create_task(self._run(nim))

    def end(self, container_id: str) -> None:
        """End it with its container."""
        if (nim := self._live.pop(container_id, None)) is not None:
            task = asyncio.create_task(self._stop(nim))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def until_ended(self) -> None:
        """Wait until everything that was ended is gone."""
        await asyncio.gather(*self._ending)

    async def close(self) -> None:
        """End all of them; their containers stay as they are."""
        for container_id in list(self._live):
            self.end(container_id)
        await self.until_ended()

    async def _stop(self, nim: _Nim) -> None:
        if nim.task is not None:
            nim.task.cancel()
            await asyncio.gather(nim.task, return_exceptions=True)
        if nim.server is not None:
            await nim.server.stop()

    async def _run(self, nim: _Nim) -> None:
        container = nim.container
        env = dict(item.partition("=")[::2] for item in container.spec.env)
        while (fault := self._fault(container, env)) is not None:
            self._log(container, fault)
            await self._pace.sleep(_CRASH_SECONDS)
            if container.spec.restart == "no":
                self._engine.kill(container, 1)
                return
            container.restart_count += 1
            self._engine.save()
        inside = int(env.get("NIM_HTTP_API_PORT", "8000"))
        outside = next((port for port, to in container.spec.published if to == inside), None)
        if outside is not None:
            nim.server = EmbeddedServer(nim)
            await nim.server.start(socket.create_server((self._address, outside)))
        self._log(container, "INFO Downloading manifest profile for NVIDIA GB10")
        volume = _volume(container)
        again = volume in self._volumes.filled
        await self._pace.sleep(_NEXT_SECONDS if again else _FIRST_SECONDS)
        if volume is not None:
            self._volumes.fill(volume)
        nim.ready = True
        self._log(container, f"INFO Uvicorn running on http://0.0.0.0:{inside}")

    def _fault(self, container: Container, env: dict[str, str]) -> str | None:
        """Return why it ends at once, if it does."""
        image = nvcr.by_id(container.image_id)
        if image is not None and "arm64" not in image.architectures:
            return "exec /opt/nim/start_server.sh: exec format error"
        if not nvcr.is_key(env.get("NGC_API_KEY", "")):
            return "ERROR Authentication Error: NGC_API_KEY is not set or not valid"
        volume, owner = _volume(container), image.user if image is not None else ""
        if volume is not None and self._volumes.owners.get(volume, "").partition(":")[0] != owner:
            return f"PermissionError: [Errno 13] Permission denied: '{CACHE}/ngc'"
        return "CUDA error: an illegal memory access was encountered" if self._crashes() else None

    def _log(self, container: Container, line: str) -> None:
        if (log := self._engine.logs.get(container.id)) is not None:
            log.write(line)


def _volume(container: Container) -> str | None:
    """Return the named volume at the place of the downloads."""
    for item in container.spec.volumes:
        source, _, target = item.partition(":")
        if target == CACHE and "/" not in source:
            return source
    return None
