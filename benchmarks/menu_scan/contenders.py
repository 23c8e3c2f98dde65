"""Ways to find out what lies in a cache over SSH."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from spark_common.remote import RemoteCommand, RemoteResult
from spark_common.remote.ssh import SshShell
from spark_swapper.scan import look_command, read_look

HOST = "spark1"
_HUB = "$HOME/.cache/huggingface/hub"

_WALK = """
import json, os, pathlib
hub = pathlib.Path.home() / ".cache/huggingface/hub"
found = []
for repo in sorted(hub.glob("models--*")):
    blobs = {str(b): b.stat().st_size for b in (repo / "blobs").iterdir()}
    links = [path for path in (repo / "snapshots").rglob("*") if path.is_file()]
    files = [
        {
            "name": str(f.relative_to(repo)),
            "size": blobs[str(repo / "blobs" / f.readlink().name)],
        }
        for f in links
    ]
    found.append({"repo": repo.name, "size": sum(blobs.values()), "files": files})
print(json.dumps(found))
"""


class CountingShell:
    """Passes on to SSH and counts what crosses the wire."""

    def __init__(self, shell: SshShell) -> None:
        self._shell = shell
        self.trips = self.sent = self.received = 0

    def reset(self) -> None:
        self.trips = self.sent = self.received = 0

    async def run(self, *argv: str, stdin: bytes | None = None) -> RemoteResult:
        self.trips += 1
        self.sent += len(" ".join(argv)) + len(stdin or b"")
        command = RemoteCommand(argv=argv, stdin=stdin)
        result = await self._shell.run(HOST, command, timeout_seconds=300)
        assert result.ok, result.stderr
        self.received += len(result.stdout)
        return result


@dataclass(frozen=True)
class Contender:
    """A way to look; ``look`` returns how many models it saw and the bytes it counted."""

    name: str
    knows: str
    look: Callable[[CountingShell], Awaitable[tuple[int, int]]]
    rounds: int


async def ours(shell: CountingShell) -> tuple[int, int]:
    command = look_command()
    look = read_look(await shell.run(*command.argv, stdin=command.stdin))
    assert all(copy.state == "ready" for copy in look.copies)
    return len(look.copies), sum(copy.size_bytes for copy in look.copies)


async def walk(shell: CountingShell) -> tuple[int, int]:
    found = json.loads((await shell.run("python3", "-", stdin=_WALK.encode())).stdout)
    return len(found), sum(repo["size"] for repo in found)


async def one_du(shell: CountingShell) -> tuple[int, int]:
    said = await shell.run("sh", "-c", f"du -sbL {_HUB}/models--*/blobs")
    rows = said.stdout.splitlines()
    return len(rows), sum(int(row.split()[0]) for row in rows)


async def du_per_model(shell: CountingShell) -> tuple[int, int]:
    """The earlier system: a listing, then questions about one model after the other."""
    names = (await shell.run("sh", "-c", f"ls {_HUB}")).stdout.split()
    size = 0
    models = [name for name in names if name.startswith("models--")]
    for name in models:
        said = await shell.run("sh", "-c", f'du -sbL "{_HUB}/$1/blobs"', "du", name)
        size += int(said.stdout.split()[0])
        await shell.run("sh", "-c", f'cat "{_HUB}/$1"/snapshots/*/config.json', "cat", name)
    return len(models), size


CONTENDERS = (
    Contender("hf_scan (ours)", "sizes, states, missing, shared", ours, 3),
    Contender("one du for all", "sizes", one_du, 3),
    Contender("walk with pathlib", "sizes, every file", walk, 3),
    Contender("du and cat per model", "sizes, configuration", du_per_model, 1),
)
