"""The commands of ``docker`` that get, name, carry and drop images."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from spark_sim import nvcr
from spark_sim.call import Call
from spark_sim.docker_engine import DockerEngine, DockerError
from spark_sim.docker_options import read_options
from spark_sim.images import REGISTRY, SIZE_BYTES, facts_of, published_id, short, tagged
from spark_sim.pace import Pace

_PULL_BYTES_PER_SECOND = 180e6
_DISK_BYTES_PER_SECOND = 900e6
_LAYERS = 6
_BUILD_SECONDS = 240.0
_NO_SPACE = "write {}: no space left on device"
Command = Callable[[Call, Sequence[str]], Awaitable[int]]


class DockerImages:
    """Images come and go at the speed of a Spark's network and disk."""

    def __init__(self, engine: DockerEngine, pace: Pace, away: Callable[[], bool]) -> None:
        """``away`` says whether the registry cannot be reached."""
        self._engine = engine
        self._images = engine.images
        self._pace = pace
        self._registry_away = away

    def table(self) -> dict[str, Command]:
        """Return the commands by name."""
        return {
            "build": self._build,
            "pull": self._pull,
            "tag": self._tag,
            "save": self._save,
            "load": self._load,
            "rmi": self._rmi,
        }

    async def _pull(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("pull", words, takes="platform", flags="q quiet a all-tags",
                               interspersed=True)  # fmt: skip
        name = tagged(options.rest[0])
        repository = name.rpartition(":")[0]
        if self._registry_away():
            await self._pace.sleep(5)
            raise DockerError(
                'Error response from daemon: Get "https://registry-1.docker.io/v2/": '
                "net/http: request canceled while waiting for connection (Client.Timeout "
                "exceeded while awaiting headers)"
            )
        if repository not in REGISTRY:
            raise DockerError(
                f"Error response from daemon: pull access denied for {repository}, repository "
                "does not exist or may require 'docker login'"
            )
        wanted = published_id(repository)
        if self._images.find(name) == wanted:
            await self._pulled(call, name, wanted, "Image is up to date for")
            return 0
        await call.out(f"{name.rpartition(':')[2]}: Pulling from {repository}\n")
        for layer in range(_LAYERS):
            digest = wanted[layer * 2 : layer * 2 + 12]
            await call.out(f"{digest}: Pulling fs layer\n")
            await self._pace.sleep(SIZE_BYTES / _LAYERS / _PULL_BYTES_PER_SECOND)
            if self._engine.on_disk_full():
                raise DockerError(
                    "failed to register layer: "
                    + _NO_SPACE.format("/opt/venv/lib/python3.12/site-packages/torch/lib")
                )
            await call.out(f"{digest}: Download complete\n{digest}: Pull complete\n")
        self._images.put(name, wanted)
        await self._pulled(call, name, wanted, "Downloaded newer image for")
        return 0

    async def _build(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("build", words, takes="t tag f file build-arg platform",
                               flags="q quiet no-cache pull", interspersed=True)  # fmt: skip
        folder = Path(call.cwd) / (options.rest[0] if options.rest else ".")
        recipe = folder / options.last("f", "file", default="Dockerfile")
        try:
            text = await asyncio.to_thread(recipe.read_text)
        except OSError:
            raise DockerError(
                f"ERROR: failed to build: failed to solve: failed to read dockerfile: open "
                f"{recipe.name}: no such file or directory"
            ) from None
        steps = [row for row in text.splitlines() if row[:1].isupper() and " " in row]
        for number, row in enumerate(steps, 1):
            await call.err(f"#{number + 4} [{number}/{len(steps)}] {row}\n")
            await self._pace.sleep(_BUILD_SECONDS / len(steps))
            if self._registry_away() and row.startswith("FROM"):
                raise DockerError("ERROR: failed to solve: failed to resolve source metadata")
            if self._engine.on_disk_full():
                raise DockerError("ERROR: failed to solve: " + _NO_SPACE.format("/app/src"))
        image = hashlib.sha256(text.encode()).hexdigest()
        for name in options.all("t", "tag"):
            self._images.put(name, image)
        await call.err(f"#{len(steps) + 5} exporting to image\n")
        return 0

    async def _pulled(self, call: Call, name: str, image: str, how: str) -> None:
        await call.out(f"Digest: sha256:{image[::-1]}\nStatus: {how} {name}\ndocker.io/{name}\n")

    async def _tag(self, _: Call, words: Sequence[str]) -> int:
        if len(words) != 2:
            raise DockerError("docker: 'docker tag' requires 2 arguments")
        source, target = words
        image = self._images.find(source)
        if image is None:
            raise DockerError(f"Error response from daemon: No such image: {tagged(source)}")
        self._images.put(target, image)
        return 0

    async def _save(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("save", words, takes="o output", flags="", interspersed=True)
        name = options.rest[0]
        image = self._images.find(name)
        if image is None:
            raise DockerError(f"Error response from daemon: reference does not exist: {name}")
        if self._engine.on_disk_full():
            raise DockerError(_NO_SPACE.format(options.last("o", "output", default="/dev/stdout")))
        await self._pace.sleep(SIZE_BYTES / _DISK_BYTES_PER_SECOND)
        packed = json.dumps({"tag": short(name), "image": image}) + "\n"
        if target := options.last("o", "output"):
            await asyncio.to_thread((Path(call.cwd) / target).write_text, packed)
        else:
            await call.out(packed)
        return 0

    async def _load(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("load", words, takes="i input platform", flags="q quiet",
                               interspersed=True)  # fmt: skip
        if source := options.last("i", "input"):
            packed = await asyncio.to_thread((Path(call.cwd) / source).read_bytes)
        else:
            packed = await call.read_all()
        try:
            row = json.loads(packed)
            tag, image = str(row["tag"]), str(row["image"])
        except (ValueError, KeyError, TypeError):
            raise DockerError("unexpected EOF") from None
        if self._engine.on_disk_full():
            raise DockerError(
                "Error response from daemon: " + _NO_SPACE.format("/var/lib/docker/tmp/layer.tar")
            )
        await self._pace.sleep(SIZE_BYTES / _DISK_BYTES_PER_SECOND)
        self._images.put(tag, image)
        await call.out(f"Loaded image: {tagged(tag)}\n")
        return 0

    async def _rmi(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("rmi", words, takes="", flags="f force no-prune", interspersed=True)
        code = 0
        for name in options.rest:
            if short(name) not in self._images.by_tag:
                await call.err(f"Error response from daemon: No such image: {tagged(name)}\n")
                code = 1
                continue
            image = self._images.by_tag[short(name)]
            user = self._user(image)
            if user and not options.has("f", "force"):
                raise DockerError(
                    "Error response from daemon: conflict: unable to remove repository reference "
                    f'"{name}" (must force) - container {user[:12]} is using its referenced image '
                    f"{image[:12]}"
                )
            self._images.drop(name)
            await call.out(f"Untagged: {tagged(name)}\n")
            if image not in self._images.by_tag.values():
                await call.out(f"Deleted: sha256:{image}\n")
        return code

    def _user(self, image: str) -> str | None:
        """Return a container that needs this image, if no other tag keeps it."""
        if list(self._images.by_tag.values()).count(image) > 1:
            return None
        every = self._engine.containers.values()
        return next((one.id for one in every if one.image_id == image), None)


def image_inspection(name: str, image: str) -> dict[str, object]:
    """Return what ``docker image inspect`` shows."""
    facts, nim = facts_of(image), nvcr.by_id(image)
    return {
        "Id": f"sha256:{image}",
        "RepoTags": [tagged(name)],
        "RepoDigests": [],
        "Created": facts.created_at,
        "Architecture": "arm64" if nim is None else nim.architectures[-1],
        "Os": "linux",
        "Size": SIZE_BYTES,
        "Config": {
            "Env": [],
            "User": "" if nim is None else nim.user,
            "Cmd": ["/bin/bash"],
            # The version label that OCI knows is the one of the Ubuntu it was built on.
            "Labels": {
                "org.opencontainers.image.version": "24.04",
                "vllm_version": facts.vllm_version,
            },
        },
    }
