"""Who uses a simulator's directory: one at a time, and what a killed one left behind is ended."""

import errno
import fcntl
import json
import os
import shutil
import tempfile
import uuid
from pathlib import Path

from spark_sim.processes import end_marked


class Tenancy:
    """The right to a directory, a mark for processes and a place for unix sockets."""

    def __init__(self, directory: Path) -> None:
        """Take the directory. Raises OSError when another simulator has it."""
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(directory / "tenant.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise OSError(
                errno.EBUSY, f"another simulator is using {directory}: stop it or choose another"
            ) from error
        self._record = directory / "tenant.json"
        self._end_the_previous()
        self.mark = uuid.uuid4().hex
        # Unix socket paths are short; the directory of a test is not.
        self.sockets = Path(tempfile.mkdtemp(prefix="sparksim-"))
        self._record.write_text(json.dumps({"mark": self.mark, "sockets": str(self.sockets)}))

    def leave(self) -> None:
        """End every process with our mark and give the directory back. Takes a moment."""
        end_marked(self.mark)
        shutil.rmtree(self.sockets, ignore_errors=True)
        self._record.unlink(missing_ok=True)
        os.close(self._lock)

    def _end_the_previous(self) -> None:
        try:
            left = json.loads(self._record.read_text())
            mark, sockets = left["mark"], Path(left["sockets"])
        except (OSError, ValueError, KeyError, TypeError):
            return
        end_marked(mark)
        if sockets.name.startswith("sparksim-"):
            shutil.rmtree(sockets, ignore_errors=True)
