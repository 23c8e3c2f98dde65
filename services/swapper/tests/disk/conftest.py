"""A hub to delete from, and a docker that works on it with rights the user has not."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from spark_common.remote import RemoteCommand, RemoteResult
from spark_swapper.disk.order import Cleared, delete_command, read_cleared


class Hub:
    """A cache of models in both layouts, and the orders to it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / ".cache" / "huggingface" / "hub"
        self.path.mkdir(parents=True)

    def add(self, repo: str, *files: str, shared: bool = False, size: int = 1000) -> Path:
        """Put a model there; the bytes of a file follow from its name."""
        root = self.path / ("models--" + repo.replace("/", "--"))
        snapshot = root / "snapshots" / ("c" * 40)
        snapshot.mkdir(parents=True)
        (root / "blobs").mkdir()
        (root / "refs").mkdir()
        (root / "refs" / "main").write_text("c" * 40)
        for file in files or ("model.safetensors",):
            etag = hashlib.sha256(file.encode()).hexdigest()
            blob = root / "blobs" / etag
            if shared:
                stored = self.stored(file)
                stored.parent.mkdir(parents=True, exist_ok=True)
                for end, content in (("", b"0" * size), (".refs", b""), (".lock", b"")):
                    Path(f"{stored}{end}").write_bytes(content)
                blob.symlink_to(f"../../blobs/{etag[:2]}/{etag}")
            else:
                blob.write_bytes(b"0" * size)
            (snapshot / file).symlink_to(f"../../blobs/{etag}")
        return root

    def stored(self, file: str) -> Path:
        """Return where the shared store keeps a file."""
        etag = hashlib.sha256(file.encode()).hexdigest()
        return self.path / "blobs" / etag[:2] / etag

    def names(self) -> list[str]:
        """Return what lies in the hub."""
        return sorted(entry.name for entry in self.path.iterdir())

    def run(self, command: RemoteCommand, **environment: str) -> RemoteResult:
        """Run an order as the Spark does."""
        done = subprocess.run(
            [sys.executable, "-S", "-E", *command.argv[1:]],
            input=command.stdin,
            capture_output=True,
            check=False,
            timeout=60,
            env={"HOME": str(self.home), "PATH": os.environ["PATH"], **environment},
        )
        return RemoteResult(done.returncode, done.stdout.decode(), done.stderr.decode())

    def delete(self, *repos: str) -> Cleared:
        """Delete models."""
        return read_cleared(self.run(delete_command(repos, "vllm-node", "vllm_node")))


@pytest.fixture
def make_hub() -> type[Hub]:
    """Make the cache of a home."""
    return Hub


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """An empty cache."""
    return Hub(tmp_path)


@pytest.fixture
def outside(tmp_path: Path) -> Callable[[], bool]:
    """Say whether what lies beside the cache is untouched."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("mine")
    return lambda: (precious / "file").read_text() == "mine"
