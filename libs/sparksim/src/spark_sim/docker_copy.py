"""``docker cp``: files into a container and out of it, whether it runs or not."""

import io
import tarfile
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from pathlib import Path

from spark_sim.call import Call
from spark_sim.containers import Container
from spark_sim.docker_engine import DockerEngine, DockerError
from spark_sim.docker_options import read_options
from spark_sim.journal import Journal

Command = Callable[[Call, Sequence[str]], Awaitable[int]]


class DockerCopy:
    """Copies files of containers whose files are known here."""

    def __init__(self, engine: DockerEngine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal

    def table(self) -> dict[str, Command]:
        """Return the commands by name."""
        return {"cp": self._copy}

    async def _copy(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("cp", words, takes="", flags="a archive L follow-link q quiet",
                               interspersed=True)  # fmt: skip
        if len(options.rest) != 2:
            raise DockerError("docker: 'docker cp' requires 2 arguments")
        source, target = options.rest
        if _named(source) and not _named(target):
            return await self._out(call, source, target)
        if _named(target) and not _named(source):
            return await self._into(call, source, target)
        raise DockerError("copying between containers is not supported")

    async def _out(self, call: Call, source: str, target: str) -> int:
        container, path, inside = self._place(source)
        if not path.exists():
            raise self._missing(container, inside)
        if target == "-":
            packed = io.BytesIO()
            with tarfile.open(fileobj=packed, mode="w") as archive:
                archive.add(path, path.name)
            await call.out(packed.getvalue())
            return 0
        place = Path(call.cwd) / target
        (place / path.name if place.is_dir() else place).write_bytes(path.read_bytes())
        await call.err(f"Successfully copied {path.stat().st_size}B to {place}\n")
        return 0

    async def _into(self, call: Call, source: str, target: str) -> int:
        container, path, inside = self._place(target)
        origin = Path(call.cwd) / source
        if not origin.exists():
            raise DockerError(f"lstat {origin}: no such file or directory")
        if path.is_dir():
            path = path / origin.name
        if not path.parent.is_dir():
            raise self._missing(container, str(Path(inside).parent))
        if self._engine.on_disk_full():
            raise DockerError(f"Error response from daemon: open {inside}: no space left on device")
        content = origin.read_bytes()
        path.write_bytes(content)
        self._journal.add(
            self._engine.host, "container_file_written", name=container.spec.name,
            path=f"/{path.relative_to(self._engine.roots[container.id])}",
            sha256=sha256(content).hexdigest(),
        )  # fmt: skip
        await call.err(f"Successfully copied {len(content)}B to {target}\n")
        return 0

    def _place(self, named: str) -> tuple[Container, Path, str]:
        name, _, inside = named.partition(":")
        container = self._engine.need(name)
        root = self._engine.roots.get(container.id)
        if root is None:
            raise self._missing(container, inside)
        return container, root / inside.lstrip("/"), inside

    def _missing(self, container: Container, inside: str) -> DockerError:
        return DockerError(
            f"Error response from daemon: Could not find the file {inside} in container "
            f"{container.spec.name}"
        )


def _named(word: str) -> bool:
    return ":" in word and not word.startswith((".", "/", "-"))
