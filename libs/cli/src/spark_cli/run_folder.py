"""The folder that holds everything a local run keeps: state, secrets, logs."""

import fcntl
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO


class FolderInUseError(Exception):
    """Another sparkctl runs in this folder."""


@dataclass
class RunFolder:
    """Paths below one folder that only its owner may read."""

    path: Path
    _lock: BinaryIO | None = field(default=None, init=False)

    def open(self) -> None:
        """Create the folder and hold it; raises FolderInUseError when somebody else does."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        lock = (self.path / "lock").open("a+b")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            holder = lock.read().decode("ascii", "replace").strip()
            lock.close()
            raise FolderInUseError(
                f"spark-control already runs in {self.path} (process {holder}): "
                "stop it with Ctrl-C there, or use --run-dir for a second one"
            ) from error
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()).encode())
        lock.flush()
        self._lock = lock

    def close(self) -> None:
        """Let the folder go."""
        (self.path / "running.json").unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def log(self, name: str) -> Path:
        """Log file of a part."""
        return self.path / "logs" / f"{name}.log"

    def log_folders(self) -> list[Path]:
        """Folders in which parts write their logs."""
        return [self.path / name for name in ("logs", "nats", "redis")]

    def sub(self, *names: str) -> Path:
        """Return a folder below, created with the same narrow rights."""
        path = self.path.joinpath(*names)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def announce(self, facts: dict[str, Any]) -> None:
        """Write where things are, for tools and tests; never a secret, only where one lies."""
        target = self.path / "running.json"
        draft = target.with_suffix(".tmp")
        draft.write_text(json.dumps(facts, indent=2) + "\n")
        draft.replace(target)
