"""Finding and ending the processes of a simulator."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_MOST_SECONDS = 10.0
"""One that is killed goes when its turn comes; one of somebody else never does."""
_LOOK_SECONDS = 0.005


def marked(mark: str) -> list[int]:
    """Return the process ids that carry a mark in their environment, ours excepted."""
    own = os.getpid()
    if sys.platform == "linux":
        found = _marked_linux(mark.encode())
    else:
        listing = subprocess.run(
            ["ps", "-axEww", "-o", "pid=,command="], capture_output=True, text=True, check=False
        )
        found = [int(row.split(None, 1)[0]) for row in listing.stdout.splitlines() if mark in row]
    return [pid for pid in found if pid != own]


def _marked_linux(mark: bytes) -> list[int]:
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if mark in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def end_marked(mark: str) -> None:
    """Kill every process that carries a mark, also those that fork meanwhile; see them gone."""
    deadline = time.monotonic() + _MOST_SECONDS
    while left := marked(mark):
        for pid in left:
            end(pid)
        if time.monotonic() >= deadline:
            return
        time.sleep(_LOOK_SECONDS)


def end(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a process that may be gone."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def end_group(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a process group that may be gone."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return
