"""The unified memory of a simulated Spark: what is held, cached and left."""

import asyncio
from dataclasses import dataclass

from spark_sim.pace import Pace

TOTAL_KB = 125_442_868
CUDA_TOTAL_GIB = 119.69
"""What CUDA reports as the total; utilization is a share of this."""
GIB_KB = 1_048_576
_SYSTEM_KB = 9_653_863
_SWAP_TOTAL_KB, _SWAP_FREE_KB = 16_777_212, 15_826_228
RETURN_SECONDS = 4.0
"""The driver gives memory back some time after a process is gone."""
LATE_SECONDS = 30.0
"""Seen when the driver was busy; a launch before that finds too little."""
_CLOGGED = 6.0
"""How many times longer weights take that have to wait for the page cache to make room."""


class HostMemory:
    """Bookkeeping in kB. Page cache counts as available, as on Linux."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._held: dict[int, float] = {}
        self._returning: dict[asyncio.Task[None], _Returning] = {}
        self.foreign_kb = 0.0
        """Held by something that is none of ours."""
        self.cached_kb = 1_180_000.0
        self.return_seconds = RETURN_SECONDS
        self._clogged = False

    @property
    def held_kb(self) -> float:
        """What runtimes hold, and what the driver has not given back of those that are gone."""
        return sum(self._held.values()) + sum(one.kb for one in self._returning.values())

    @property
    def available_kb(self) -> int:
        """``MemAvailable``."""
        return max(0, int(TOTAL_KB - _SYSTEM_KB - self.held_kb - self.foreign_kb))

    @property
    def swapped_kb(self) -> int:
        """What does not fit any more and was written to swap."""
        over = _SYSTEM_KB + self.held_kb + self.foreign_kb - TOTAL_KB
        return int(min(max(0.0, over), _SWAP_FREE_KB))

    @property
    def exhausted(self) -> bool:
        """Whether neither memory nor swap is left: the host hangs then."""
        return self.held_kb + self.foreign_kb > TOTAL_KB - _SYSTEM_KB + _SWAP_FREE_KB

    @property
    def load_factor(self) -> float:
        """How many times longer reading weights takes than with memory to spare."""
        return _CLOGGED if self._clogged else 1.0

    @property
    def available_gib(self) -> float:
        """The same in GiB."""
        return self.available_kb / GIB_KB

    def hold(self, owner: int, gib: float) -> None:
        """Set what a process holds; page cache makes room."""
        self._held[owner] = gib * GIB_KB
        self.cached_kb = min(self.cached_kb, max(300_000.0, self.available_kb - 400_000.0))

    def read_files(self, gib: float) -> None:
        """Let the page cache grow by what was read."""
        room = max(300_000.0, self.available_kb - 400_000.0)
        self.cached_kb = min(self.cached_kb + gib * GIB_KB, room)

    def drop_caches(self) -> None:
        """What ``echo 3 > /proc/sys/vm/drop_caches`` does."""
        self.cached_kb = 300_000.0
        self._clogged = False

    def clog(self) -> None:
        """Fill the page cache with what makes room only slowly."""
        self.cached_kb = max(300_000.0, self.available_kb - 400_000.0)
        self._clogged = True

    def start_anew(self) -> None:
        """What a reboot leaves: nothing."""
        self.close()
        self._held.clear()
        self.foreign_kb = 0.0
        self.drop_caches()

    def release(self, owner: int) -> None:
        """Give back what a dead process held, a little late.

        Another process may have the same number by then, so it is no longer the dead one's.
        """
        left = _Returning(self._held.pop(owner, 0.0))
        task = asyncio.create_task(self._give_back(left))
        self._returning[task] = left
        task.add_done_callback(lambda done: self._returning.pop(done, None))

    def close(self) -> None:
        """Stop waiting for memory to return: it is back."""
        for task in self._returning:
            task.cancel()
        self._returning.clear()

    def meminfo(self) -> str:
        """Return ``/proc/meminfo``."""
        available = self.available_kb
        cached = int(min(self.cached_kb, available))
        rows = {
            "MemTotal": TOTAL_KB,
            "MemFree": max(0, available - cached),
            "MemAvailable": available,
            "Buffers": 214_532,
            "Cached": cached,
            "SwapCached": 12_440,
            "Shmem": 41_208,
            "SwapTotal": _SWAP_TOTAL_KB,
            "SwapFree": _SWAP_FREE_KB - self.swapped_kb,
        }
        return "".join(f"{name + ':':<16}{kb:>12} kB\n" for name, kb in rows.items())

    def free(self) -> dict[str, int]:
        """Return the columns of ``free`` in kB."""
        available, swap_free = self.available_kb, _SWAP_FREE_KB - self.swapped_kb
        cached = int(min(self.cached_kb, available)) + 214_532
        return {
            "total": TOTAL_KB, "used": TOTAL_KB - available,
            "free": max(0, available - cached), "shared": 41_208, "buff/cache": cached,
            "available": available, "swap_total": _SWAP_TOTAL_KB,
            "swap_used": _SWAP_TOTAL_KB - swap_free, "swap_free": swap_free,
        }  # fmt: skip

    async def _give_back(self, left: "_Returning") -> None:
        for share in (0.6, 0.0):
            await self._pace.sleep(self.return_seconds / 2)
            left.kb *= share


@dataclass
class _Returning:
    """What is left of the memory of a process that is gone."""

    kb: float
