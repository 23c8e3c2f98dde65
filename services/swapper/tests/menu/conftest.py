"""Sparks made of folders: what is on their disks, and a shell that really runs commands there."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spark_common.errors import SparkError
from spark_common.remote import RemoteCommand, RemoteResult, quote
from spark_swapper.scan import look_command, read_look

SPARK_PATH = f"/usr/local/bin:/usr/bin:/bin:{sys.base_prefix}/bin"
"""As on a Spark: no version manager of a developer before the programs."""
_COMMIT = "0123456789abcdef0123456789abcdef01234567"


class HubFolder:
    """A Hugging Face cache as huggingface_hub leaves it, in the older or the newer layout."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.hub = home / ".cache" / "huggingface" / "hub"

    def add(
        self,
        repo: str,
        *,
        shards: int = 2,
        present: int | None = None,
        shard_bytes: int = 1_000_000,
        shared_store: bool = False,
        index: bool = True,
        config: dict[str, object] | None = None,
    ) -> Path:
        """Put a repository on the disk; ``present``: how many of the shards are there."""
        folder = self.hub / ("models--" + repo.replace("/", "--"))
        snapshot = folder / "snapshots" / _COMMIT
        snapshot.mkdir(parents=True)
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text(_COMMIT)
        (folder / "blobs").mkdir()
        names = [f"model-{n:05}-of-{shards:05}.safetensors" for n in range(1, shards + 1)]
        _small(snapshot, "config.json", config or {"max_position_embeddings": 4096})
        if index:
            weights = {"weight_map": {str(n): name for n, name in enumerate(names)}}
            _small(snapshot, "model.safetensors.index.json", weights)
        for number, name in enumerate(names[:present]):
            etag = f"{number:02x}{len(repo):062x}"
            blob = folder / "blobs" / etag
            if shared_store:
                store = self.hub / "blobs" / etag[:2]
                store.mkdir(parents=True, exist_ok=True)
                _sparse(store / etag, shard_bytes)
                blob.symlink_to(f"../../blobs/{etag[:2]}/{etag}")
            else:
                _sparse(blob, shard_bytes)
            (snapshot / name).symlink_to(f"../../blobs/{etag}")
        return folder

    def add_partial(self, repo: str, size: int, *, age_seconds: float = 0.0) -> None:
        """Put an unfinished file beside a repository, last written to some time ago."""
        path = self.hub / ("models--" + repo.replace("/", "--")) / "blobs" / "ff.0a.incomplete"
        _sparse(path, size)
        moment = path.stat().st_mtime - age_seconds
        os.utime(path, (moment, moment))


def _small(snapshot: Path, name: str, content: object) -> None:
    blob = snapshot.parent.parent / "blobs" / name.replace(".", "")
    blob.write_text(json.dumps(content))
    (snapshot / name).symlink_to(f"../../blobs/{blob.name}")


def _sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


class FolderShell:
    """A RemoteShell whose hosts are folders: real bash, real programs, no network.

    A host in ``trouble`` raises that error instead.
    """

    def __init__(self, homes: dict[str, Path]) -> None:
        self.homes = homes
        self.trouble: dict[str, SparkError] = {}
        self.before: Callable[[str], None] = lambda host: None
        self.commands = 0

    async def run(
        self, host: str, command: RemoteCommand, *, timeout_seconds: float = 30.0
    ) -> RemoteResult:
        """Run the quoted line in the host's home."""
        self.commands += 1
        self.before(host)
        if host in self.trouble:
            raise self.trouble[host]
        home = self.homes[host]
        path = f"{home / 'bin'}:{SPARK_PATH}"
        process = await asyncio.create_subprocess_exec(
            "bash",
            "-c",
            quote(command),
            cwd=home,
            env={"HOME": str(home), "PATH": path, "LANG": "C.UTF-8"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(command.stdin or b"")
        return RemoteResult(process.returncode, out.decode(), err.decode())

    async def home(self, host: str) -> str:
        """Return the folder."""
        return str(self.homes[host])


@pytest.fixture
def hubs(tmp_path: Path) -> dict[str, HubFolder]:
    """The caches of two Sparks."""
    found = {}
    for name in ("spark1", "spark2"):
        (tmp_path / name).mkdir()
        found[name] = HubFolder(tmp_path / name)
    return found


@pytest.fixture
def folder_shell(hubs: dict[str, HubFolder]) -> FolderShell:
    """A shell on these two Sparks."""
    return FolderShell({name: hub.home for name, hub in hubs.items()})


_NOBODY = 65534


@pytest.fixture
def run_as_nobody() -> Callable[[Path], object]:
    """Look at a hub as a user whose files these are, but who is not root.

    ``with run_as_nobody(hub) as (look, forbid)``: ``forbid(path)`` makes something root's own.
    Root drops its rights for the look; another user forbids itself by mode.
    """

    @contextmanager
    def nobody(
        hub: Path,
    ) -> Iterator[tuple[Callable[[], dict[str, object]], Callable[[Path], None]]]:
        is_root = os.geteuid() == 0
        # Not below pytest's own folder, which only its user may enter.
        place = Path(tempfile.mkdtemp(prefix="hub-"))
        place.chmod(0o755)
        there = place / "hub"
        shutil.copytree(hub, there, symlinks=True)
        if is_root:
            subprocess.run(["chown", "-R", f"{_NOBODY}:{_NOBODY}", there], check=True)
        forbidden: list[Path] = []

        def forbid(path: Path) -> None:
            own = there / path.relative_to(hub)
            forbidden.append(own)
            if is_root:
                os.chown(own, 0, 0, follow_symlinks=False)
            own.chmod(0o600 if is_root else 0o000)

        def look() -> dict[str, object]:
            done = subprocess.run(
                ["/usr/bin/python3", *look_command().argv[1:]],
                input=look_command().stdin,
                capture_output=True,
                check=True,
                env={"HF_HUB_CACHE": str(there), "PATH": SPARK_PATH},
                **({"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if is_root else {}),
            )
            answer = RemoteResult(done.returncode, done.stdout.decode(), done.stderr.decode())
            return read_look(answer).model_dump(mode="json")

        try:
            yield look, forbid
        finally:
            for path in forbidden:
                path.chmod(0o700)
            shutil.rmtree(place)

    return nobody
