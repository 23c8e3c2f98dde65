"""``docker compose``: what a checkout with one service does with it."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from spark_sim.call import Call
from spark_sim.containers import ContainerSpec, image_id
from spark_sim.docker_engine import DockerEngine, DockerError
from spark_sim.docker_options import read_options
from spark_sim.pace import Pace

Command = Callable[[Call, Sequence[str]], Awaitable[int]]
_FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_BUILD_SECONDS = 40.0
_FIELD = re.compile(r"^\s+(container_name|image):\s*(\S+)\s*$", re.MULTILINE)


class DockerCompose:
    """Builds and starts the service of the file in the folder it is called in."""

    def __init__(self, engine: DockerEngine, pace: Pace, registry_away: Callable[[], bool]) -> None:
        self._engine = engine
        self._pace = pace
        self._registry_away = registry_away

    def table(self) -> dict[str, Command]:
        """Return the command by name."""
        return {"compose": self._compose}

    async def _compose(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("compose", words, takes="f file p project-name ansi progress",
                               flags="")  # fmt: skip
        name, *rest = options.rest or [""]
        if name == "version":
            await call.out("Docker Compose version v2.40.3\n")
            return 0
        service = await asyncio.to_thread(_read, Path(call.cwd), options.last("f", "file"))
        match name:
            case "build":
                await self._build(call, service)
            case "up":
                given = read_options("compose up", rest, takes="t timeout pull",
                                     flags="d detach build force-recreate remove-orphans",
                                     interspersed=True)  # fmt: skip
                if given.has("build"):
                    await self._build(call, service)
                await self._up(call, service)
            case _:
                raise DockerError(f'unknown docker command: "compose {name}"', 16)
        return 0

    async def _build(self, call: Call, service: dict[str, str]) -> None:
        image = service["image"]
        await call.err(f"#1 [internal] load build definition from Dockerfile\n#2 {image}\n")
        if self._registry_away():
            raise DockerError(
                "failed to solve: python:3.12-slim: failed to resolve source metadata: dial tcp: "
                "lookup registry: no such host",
                17,
            )
        await self._pace.sleep(_BUILD_SECONDS)
        self._engine.images.by_tag[image] = image_id(f"{image} {service['text']}")
        await call.err(f"#9 exporting to image\n {image}  Built\n")

    async def _up(self, call: Call, service: dict[str, str]) -> None:
        name = service["container_name"]
        image = self._engine.image(service["image"])
        if image is None:
            raise DockerError(f"Error response from daemon: No such image: {service['image']}")
        there = self._engine.find(name)
        if there is not None and there.image_id == image and there.running:
            await call.err(f" Container {name}  Running\n")
            return
        await call.err(f" Container {name}  Recreate\n")
        if there is not None:
            await self._engine.stop(there)
            self._engine.remove(there)
        spec = ContainerSpec(image=service["image"], name=name, restart="unless-stopped")
        await self._engine.run(spec)
        await call.err(f" Container {name}  Started\n")


def _read(folder: Path, given: str) -> dict[str, str]:
    files = [folder / given] if given else [folder / name for name in _FILES]
    for path in files:
        if path.exists():
            sources = sorted(one for one in folder.glob("*") if one.is_file())
            usual = {"container_name": folder.name, "image": f"{folder.name}:latest"}
            text = "".join(one.read_text(errors="replace") for one in sources)
            return {**usual, **dict(_FIELD.findall(path.read_text())), "text": text}
    raise DockerError("no configuration file provided: not found", 14)
