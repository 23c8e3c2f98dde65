"""The memory of a process, from the kernel's own account. Linux only."""

from pathlib import Path
from typing import Final

_FORGET_PEAK: Final = "5"


def resident(pid: int) -> int:
    """Return what is resident now, in bytes."""
    return _field(pid, "VmRSS:")


def peak(pid: int) -> int:
    """Return the most that was resident since ``forget_peak``, in bytes."""
    return _field(pid, "VmHWM:")


def forget_peak(pid: int) -> None:
    """Let the kernel count the peak from here on."""
    Path(f"/proc/{pid}/clear_refs").write_text(_FORGET_PEAK)


def _field(pid: int, name: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    line = next(one for one in text.splitlines() if one.startswith(name))
    return int(line.split()[1]) * 1024
