"""Whether a NIM may be put beside what is on the GPU now: memory, swaps, and who holds it."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from pydantic import SecretStr

from spark_common.contracts.nim import NimEntry
from spark_common.errors import (
    ConflictError,
    SparkError,
    SwapInProgressError,
    UnavailableError,
)
from spark_common.remote import RemoteCommand, RemoteShell
from spark_common.remote.figures import meminfo
from spark_common.settings import HostSettings
from spark_health.deep.scene import Scene
from spark_health.nim.record import NimRecord
from spark_health.remedies.gate import Obstacles
from spark_health.remedies.holding import InTheWayError, Leases

_GB: Final = 1_000_000_000
_LOOK_SECONDS: Final = 15.0
_MORE: Final = 1.2
"""What is loaded takes a little more than what was downloaded."""
RESERVE_GB: Final = 4
"""Left for the machine: a Spark whose memory runs out hangs as a whole."""
_NAMES: Final = (
    "nvidia-smi --query-compute-apps=process_name,used_gpu_memory "
    "--format=csv,noheader,nounits 2>/dev/null"
)
_LOOK: Final = f"cat /proc/meminfo; echo '@@apps'; timeout 5 {_NAMES}; exit 0"


def needed_gb(entry: NimEntry) -> int:
    """Return the memory that an entry takes when it is ready, in gigabytes."""
    return entry.memory_gb or math.ceil(_MORE * entry.download_gb)


class NimAdmission:
    """Asks before anything is downloaded, and again before the container is started.

    What is downloaded meanwhile takes an hour: then others may hold the cluster, or swap.
    """

    def __init__(
        self, shell: RemoteShell, leases: Leases, scene: Scene, obstacles: Obstacles
    ) -> None:
        self._shell = shell
        self._leases = leases
        self._scene = scene
        self._obstacles = obstacles

    async def require(
        self,
        entry: NimEntry,
        host: HostSettings,
        token: SecretStr | None,
        *,
        force: bool,
        runs: bool,
    ) -> int:
        """Return the epoch of the caller's lease when it may be installed.

        ``runs``: an older one of it is there, whose memory comes back. Raises SwapInProgressError,
        LeaseHeldError, ConflictError with the numbers, UnavailableError where nobody can say what
        else is going on; ``force`` goes past all but the first.
        """
        await self._require_no_swap(host, force=force)
        try:
            await self._leases.admit(token, force=force)
        except InTheWayError as why:
            raise ConflictError(f"{entry.name} is not installed now: {why}") from why
        if not force and not runs:
            await self._require_memory(entry, host)
        return 0 if force else await self._obstacles.epoch(token)

    @asynccontextmanager
    async def turn(self, record: NimRecord) -> AsyncIterator[None]:
        """Be the only one who decides about the Spark while its container is started.

        Raises InTheWayError with the holder's name or the swap.
        """
        if record.forced:
            try:
                swapping = await self._scene.swapping()
            except UnavailableError:
                swapping = {}
            if record.host in swapping:
                raise InTheWayError(swapping[record.host])
            yield
            return
        if (why := await self._obstacles.now(record.host, record.epoch)) is not None:
            raise InTheWayError(why)
        order, reason = f"nim {record.id}", f"start of {record.entry.name}, just installed"
        async with self._obstacles.held(record.host, record.epoch, order, reason):
            yield

    async def _require_no_swap(self, host: HostSettings, *, force: bool) -> None:
        try:
            swapping = await self._scene.swapping()
        except UnavailableError:
            if force:
                return
            raise
        if host.name in swapping:
            raise SwapInProgressError(
                f"{swapping[host.name]}; what it leaves of the memory shows when it is over",
                host=host.name,
            )

    async def _require_memory(self, entry: NimEntry, host: HostSettings) -> None:
        command = RemoteCommand(argv=("sh", "-c", _LOOK))
        try:
            ran = await self._shell.run(host.name, command, timeout_seconds=_LOOK_SECONDS)
        except SparkError:
            # The installation itself says that the Spark is away.
            return
        memory, _, apps = ran.stdout.partition("@@apps")
        rows = meminfo(memory)
        free, total = (rows.get(word) for word in ("MemAvailable", "MemTotal"))
        if free is None or total is None:
            return
        need = needed_gb(entry)
        free_gb = free / _GB
        if need + RESERVE_GB <= free_gb:
            return
        beside = _largest(apps)
        raise ConflictError(
            f"{entry.label} needs {need} GB of memory and {RESERVE_GB} GB have to stay free, and "
            f"{host.label} has {free_gb:.1f} of {total / _GB:.1f} GB"
            f"{f' beside {beside}' if beside else ''}. Unload the model, choose another Spark, "
            'or install it all the same with "force": true',
            host=host.name,
            needed_gb=need,
            free_gb=round(free_gb, 1),
        )


def _largest(apps: str) -> str:
    """Return the process that holds most of the GPU's memory, with how much that is."""
    found = []
    for line in apps.splitlines():
        name, comma, megabytes = line.rpartition(",")
        if comma and megabytes.strip().isdigit():
            found.append((int(megabytes), name.strip().rpartition("/")[2][:60]))
    if not found:
        return ""
    megabytes_most, name_most = max(found)
    return f"{name_most}, which has {megabytes_most * 1.048576 / 1000:.1f} GB"
