"""The commands of ``docker`` that speak to NVIDIA's registry."""

import asyncio
import json
from collections.abc import Callable, Sequence

from spark_sim import nvcr
from spark_sim.call import Call
from spark_sim.docker_engine import DockerEngine, DockerError
from spark_sim.docker_images import Command
from spark_sim.docker_options import read_options
from spark_sim.images import tagged
from spark_sim.journal import Journal
from spark_sim.pace import Pace

_BYTES_PER_SECOND = 180e6


class DockerRegistry:
    """Login, manifest and pull. ``away``: it does not answer; ``refuses``: no key is good."""

    def __init__(
        self,
        engine: DockerEngine,
        journal: Journal,
        pace: Pace,
        away: Callable[[], bool],
        refuses: Callable[[], bool],
        pull_others: Command,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._pace = pace
        self._away = away
        self._refuses = refuses
        self._pull_others = pull_others

    def table(self) -> dict[str, Command]:
        """Return the commands by name."""
        return {
            "login": self._login,
            "logout": self._logout,
            "manifest": self._manifest,
            "pull": self._pull,
        }

    async def _login(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("login", words, takes="u username p password",
                               flags="password-stdin", interspersed=True)  # fmt: skip
        registry = options.rest[0] if options.rest else "https://index.docker.io/v1/"
        by_stdin = options.has("password-stdin")
        key = (await call.read_all()).decode().strip() if by_stdin else ""
        key = key or options.last("p", "password")
        user = options.last("u", "username")
        self._journal.add(
            self._engine.host, "docker_login", registry=registry, user=user, stdin=by_stdin
        )
        await self._answering(registry)
        if not nvcr.is_key(key) or user != nvcr.USER or self._refuses():
            raise DockerError(
                f'Error response from daemon: Get "https://{registry}/v2/": unauthorized'
            )
        await asyncio.to_thread(nvcr.remember, call.env, key)
        await call.err(
            "\nWARNING! Your credentials are stored unencrypted in "
            f"'{nvcr.config_path(call.env)}'.\n"
        )
        await call.out("Login Succeeded\n")
        return 0

    async def _logout(self, call: Call, words: Sequence[str]) -> int:
        await asyncio.to_thread(nvcr.config_path(call.env).unlink, missing_ok=True)
        await call.out(f"Removing login credentials for {words[0] if words else nvcr.HOST}\n")
        return 0

    async def _manifest(self, call: Call, words: Sequence[str]) -> int:
        if not words or words[0] != "inspect":
            raise DockerError(f"docker: unknown command: docker manifest {' '.join(words[:1])}")
        options = read_options("manifest inspect", words[1:], takes="", flags="v verbose insecure",
                               interspersed=True)  # fmt: skip
        name = tagged(options.rest[0])
        self._journal.add(self._engine.host, "docker_manifest", image=name)
        await self._answering(nvcr.HOST)
        await self._allowed(call, name)
        found = nvcr.manifest_of(name)
        if not options.has("v", "verbose"):
            one = found[0] if isinstance(found, list) else found
            found = one["SchemaV2Manifest"]  # type: ignore[index]
        await call.out(json.dumps(found, indent="\t") + "\n")
        return 0

    async def _pull(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("pull", words, takes="platform", flags="q quiet a all-tags",
                               interspersed=True)  # fmt: skip
        if nvcr.split(options.rest[0]) is None:
            return await self._pull_others(call, words)
        name = tagged(options.rest[0])
        self._journal.add(self._engine.host, "docker_pull", image=name)
        await self._answering(nvcr.HOST)
        await self._allowed(call, name)
        image = nvcr.find(name)
        if image is not None and "arm64" not in image.architectures:
            raise DockerError(
                f"Error response from daemon: no matching manifest for linux/arm64/v8 in the "
                f"manifest list entries: {name}"
            )
        if self._engine.images.find(name) is not None:
            await call.out(f"Status: Image is up to date for {name}\n{name}\n")
            return 0
        repository, tag = nvcr.split(name) or ("", "")
        await call.out(f"{tag}: Pulling from {repository}\n")
        for digest, _ in nvcr.layers_of(name):
            await call.out(f"{digest[:12]}: Pulling fs layer\n")
        for digest, size in nvcr.layers_of(name):
            await self._pace.sleep(size / _BYTES_PER_SECOND)
            if self._engine.on_disk_full():
                raise DockerError(
                    "failed to register layer: write /opt/nim/lib/libtorch_cuda.so: no space left "
                    "on device"
                )
            await call.out(f"{digest[:12]}: Verifying Checksum\n{digest[:12]}: Download complete\n")
        for digest, _ in nvcr.layers_of(name):
            await call.out(f"{digest[:12]}: Pull complete\n")
        self._engine.images.put(name, nvcr.image_id(name))
        self._journal.add(self._engine.host, "image_pulled", image=name)
        await call.out(f"Digest: sha256:{nvcr.image_id(name)}\n"
                       f"Status: Downloaded newer image for {name}\n{name}\n")  # fmt: skip
        return 0

    async def _answering(self, registry: str) -> None:
        if self._away():
            await self._pace.sleep(5)
            raise DockerError(
                f'Error response from daemon: Get "https://{registry}/v2/": net/http: request '
                "canceled while waiting for connection (Client.Timeout exceeded while awaiting "
                "headers)"
            )

    async def _allowed(self, call: Call, name: str) -> None:
        """Raise what docker says when the login does not open the image, or there is none."""
        key = await asyncio.to_thread(nvcr.remembered, call.env)
        if key is None or not nvcr.is_key(key):
            raise DockerError(f"unauthorized: <html>\n<head><title>401 {name}</title></head>")
        image = nvcr.find(name)
        if image is None:
            raise DockerError(f"no such manifest: {name}")
        if not image.open_to_all:
            raise DockerError(f"Error response from daemon: denied: requested access to {name} is "
                              "denied")  # fmt: skip
