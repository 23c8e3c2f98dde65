"""The named volumes of a simulated host, kept in a file so that they survive the simulator."""

import json
from collections.abc import Sequence
from pathlib import Path

from spark_sim.call import Call
from spark_sim.docker_engine import DockerEngine, DockerError
from spark_sim.docker_images import Command
from spark_sim.docker_options import read_options
from spark_sim.journal import Journal

_ROOT = "0:0"


class DockerVolumes:
    """Volumes by name: whose they are, and whether anything was put into them."""

    def __init__(self, engine: DockerEngine, journal: Journal, path: Path) -> None:
        self._engine = engine
        self._journal = journal
        self._path = path
        self.owners: dict[str, str] = {}
        self.filled: set[str] = set()
        if path.exists():
            read = json.loads(path.read_text())
            self.owners, self.filled = read["owners"], set(read["filled"])

    async def command(self, call: Call, words: Sequence[str]) -> int:
        """Run ``docker volume ...``."""
        table: dict[str, Command] = {
            "create": self._create, "inspect": self._inspect, "rm": self._rm, "ls": self._ls,
        }  # fmt: skip
        if not words or words[0] not in table:
            raise DockerError(f"docker: unknown command: docker volume {' '.join(words[:1])}")
        return await table[words[0]](call, words[1:])

    def need(self, name: str) -> None:
        """Make a volume that is not there yet, as docker does for ``run -v``: it is root's."""
        if name not in self.owners:
            self.owners[name] = _ROOT
            self._journal.add(self._engine.host, "volume_created", name=name)
            self._save()

    def fill(self, name: str) -> None:
        """Put something into a volume."""
        self.filled.add(name)
        self._save()

    def give(self, name: str, owner: str) -> None:
        """Let a volume belong to ``uid:gid``."""
        self.owners[name] = owner
        self._journal.add(self._engine.host, "volume_given", name=name, owner=owner)
        self._save()

    def clear(self) -> None:
        """Forget all of them."""
        self.owners.clear()
        self.filled.clear()
        self._path.unlink(missing_ok=True)

    async def _create(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("volume create", words, takes="d driver label name o opt", flags="",
                               interspersed=True)  # fmt: skip
        if self._engine.on_disk_full():
            raise DockerError("Error response from daemon: mkdir /var/lib/docker/volumes/x: no "
                              "space left on device")  # fmt: skip
        name = options.rest[0] if options.rest else options.last("name", default="nameless")
        self.need(name)
        await call.out(name + "\n")
        return 0

    async def _inspect(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("volume inspect", words, takes="f format", flags="",
                               interspersed=True)  # fmt: skip
        for name in options.rest:
            if name not in self.owners:
                await call.out("[]\n")
                raise DockerError(f"Error response from daemon: get {name}: no such volume")
        rows = [{"Name": name, "Driver": "local", "Scope": "local",
                 "Mountpoint": f"/var/lib/docker/volumes/{name}/_data"}
                for name in options.rest]  # fmt: skip
        await call.out(json.dumps(rows, indent=4) + "\n")
        return 0

    async def _rm(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("volume rm", words, takes="", flags="f force", interspersed=True)
        for name in options.rest:
            if name not in self.owners:
                raise DockerError(f"Error response from daemon: get {name}: no such volume")
            for container in self._engine.containers.values():
                if any(item.partition(":")[0] == name for item in container.spec.volumes):
                    raise DockerError(
                        f"Error response from daemon: remove {name}: volume is in use - "
                        f"[{container.id}]"
                    )
            del self.owners[name]
            self.filled.discard(name)
            self._journal.add(self._engine.host, "volume_removed", name=name)
            self._save()
            await call.out(name + "\n")
        return 0

    async def _ls(self, call: Call, words: Sequence[str]) -> int:
        await call.out("DRIVER    VOLUME NAME\n" + "".join(f"local     {n}\n" for n in self.owners))
        return 0

    def _save(self) -> None:
        self._path.write_text(json.dumps({"owners": self.owners, "filled": sorted(self.filled)}))
