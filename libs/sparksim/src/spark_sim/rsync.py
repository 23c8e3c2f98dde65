"""``rsync`` between the simulated Sparks: really copies, with what its flags do to symbolic links.

``-a`` keeps every link as it is; ``--copy-unsafe-links`` makes files of those that lead out of the
copied folder, which is the folder itself only when its name ends with a slash; ``-L`` makes files
of all. No bytes move: files are sparse on both sides.
"""

import asyncio
import contextlib
import fnmatch
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spark_sim.call import Call
from spark_sim.daemon import Program
from spark_sim.disk import free_bytes
from spark_sim.faults import Behaviour

if TYPE_CHECKING:
    from spark_sim.host import SimulatedHost

LINK_BYTES_PER_SECOND = 1.1e9
_TICK_BYTES = 2_000_000_000
_REAL_BYTES = 1_000_000
"""Files below this size have real bytes here, larger ones are sparse."""
_UNREACHABLE = (
    "ssh: connect to host {0} port 22: Connection timed out\r\n"
    "rsync: connection unexpectedly closed (0 bytes received so far) [sender]\n"
    "rsync error: unexplained error (code 255) at io.c(232) [sender=3.2.7]\n"
)
_FULL = (
    'rsync: [receiver] write failed on "{0}": No space left on device (28)\n'
    "rsync error: error in file IO (code 11) at receiver.c(380) [receiver=3.2.7]\n"
)


@dataclass(frozen=True)
class _Order:
    flags: frozenset[str]
    excludes: tuple[str, ...]
    partial_dir: str | None
    source: str
    target: str

    @property
    def follows(self) -> bool:
        return "L" in self.flags or "copy-links" in self.flags

    @property
    def follows_unsafe(self) -> bool:
        return "copy-unsafe-links" in self.flags


class _Piece:
    """One file on its way: what is there of it, and where."""

    def __init__(self, source: Path, goal: Path, partial_dir: str | None) -> None:
        self.source = source
        self.goal = goal
        self.stat = source.stat()
        self.size = self.stat.st_size
        self.partial = goal.with_name(f".{goal.name}.{secrets.token_hex(3)}")
        self._kept = goal.parent / partial_dir / goal.name if partial_dir else None

    def is_there(self) -> bool:
        """Say whether the same file lies there already, by size and time."""
        if not self.goal.exists() or self.goal.is_symlink():
            return False
        known = self.goal.stat()
        return (known.st_size, int(known.st_mtime)) == (self.size, int(self.stat.st_mtime))

    def begin(self) -> int:
        """Return how many bytes an earlier run left."""
        if self._kept is not None and self._kept.exists():
            self._kept.rename(self.partial)
        self.partial.touch()
        return self.partial.stat().st_size

    def grow(self, size: int) -> None:
        """Have so many bytes there."""
        with self.partial.open("r+b") as stream:
            stream.truncate(size)

    def keep(self) -> None:
        """Leave what is there for the next run, where one was asked to."""
        if self._kept is not None:
            self._kept.parent.mkdir(exist_ok=True)
            self.partial.rename(self._kept)

    def finish(self) -> None:
        """Give the file its name, rights and time."""
        if self.size < _REAL_BYTES:
            self.partial.write_bytes(self.source.read_bytes())
        self.partial.chmod(self.stat.st_mode & 0o777)
        os.utime(self.partial, (self.stat.st_atime, self.stat.st_mtime))
        self.goal.unlink(missing_ok=True)
        self.partial.rename(self.goal)
        if self._kept is not None and self._kept.parent.is_dir():
            with contextlib.suppress(OSError):
                self._kept.parent.rmdir()


class Rsync:
    """The program of one host; ``peer`` finds the other by its address."""

    def __init__(
        self, host: "SimulatedHost", peer: Callable[[str], "SimulatedHost | None"]
    ) -> None:
        self._host = host
        self._peer = peer

    def table(self) -> dict[str, Program]:
        """Return the programs by name."""
        return {"rsync": self.run}

    async def run(self, call: Call) -> int:
        """Copy; exit codes are those of rsync."""
        order = _order(call.argv)
        if order is None:
            await call.err("rsync error: syntax or usage error (code 1) at main.c(1782)\n")
            return 1
        address, _, path = order.target.rpartition("@")[2].partition(":")
        other = self._peer(address)
        if other is None or not other.reachable:
            await self._host.pace.sleep(5)
            await call.err(_UNREACHABLE.format(address))
            return 255
        top = Path(call.cwd, order.source)
        if not _is_folder(top):
            await call.err(f'rsync: [sender] change_dir "{top}" failed: No such file (2)\n')
            return 23
        into = other.sandbox.home / path
        within = order.source.endswith("/")
        target = into if within else into / top.name
        if "mkpath" not in order.flags and not _is_folder(into.parent):
            await call.err(f'rsync: [Receiver] mkdir "{into}" failed: No such file (2)\n')
            return 11
        # What counts as outside is judged from the folder that is copied.
        root = top if within else top.parent
        return await self._copy(call, order, top, target, root, other)

    async def _copy(
        self, call: Call, order: _Order, top: Path, target: Path, root: Path,
        other: "SimulatedHost",
    ) -> int:  # fmt: skip
        for place, folders, files in os.walk(top):
            folders.sort()
            here = Path(place)
            there = target / here.relative_to(top)
            there.mkdir(parents=True, exist_ok=True)
            for name in sorted(files):
                if any(fnmatch.fnmatch(name, pattern) for pattern in order.excludes):
                    continue
                source, goal = here / name, there / name
                if source.is_symlink() and not _made_a_file(source, root, order):
                    goal.unlink(missing_ok=True)
                    goal.symlink_to(source.readlink())
                elif source.exists() and not await self._file(
                    _Piece(source, goal, order.partial_dir), other
                ):
                    await call.err(_FULL.format(goal))
                    return 11
                if order.flags & {"v", "progress"}:
                    await call.out(f"{goal.relative_to(target)}\n")
        return 0

    async def _file(self, piece: _Piece, other: "SimulatedHost") -> bool:
        """Copy one file; False when the disk over there is full."""
        if piece.is_there():
            return True
        done = piece.begin()
        try:
            while done < piece.size:
                step = min(_TICK_BYTES, piece.size - done)
                full = other.faults.behaviour is Behaviour.DISK_FULL
                if free_bytes(other.sandbox.hub, full=full) < step:
                    piece.partial.unlink()
                    return False
                await self._host.pace.sleep(step / LINK_BYTES_PER_SECOND)
                done += step
                piece.grow(done)
        except asyncio.CancelledError:
            piece.keep()
            raise
        piece.finish()
        return True


def _is_folder(path: Path) -> bool:
    return path.is_dir()


def _made_a_file(link: Path, root: Path, order: _Order) -> bool:
    if order.follows:
        return True
    leads_to = Path(os.path.normpath(link.parent / link.readlink()))
    return order.follows_unsafe and not leads_to.is_relative_to(root)


def _order(argv: tuple[str, ...]) -> _Order | None:
    flags: set[str] = set()
    excludes: list[str] = []
    partial_dir = None
    paths: list[str] = []
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "-e" and words:
            words.pop(0)
        elif word.startswith("--exclude="):
            excludes.append(word.partition("=")[2])
        elif word.startswith("--partial-dir="):
            partial_dir = word.partition("=")[2]
        elif word.startswith("--"):
            flags.add(word[2:].partition("=")[0])
        elif word.startswith("-"):
            flags.update(word[1:])
        else:
            paths.append(word)
    if len(paths) != 2 or ":" not in paths[1]:
        return None
    return _Order(frozenset(flags), tuple(excludes), partial_dir, paths[0], paths[1])
