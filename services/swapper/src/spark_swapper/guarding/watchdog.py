"""Watches the memory of every host while a model loads: one that runs out freezes the Spark."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog

from spark_common.clock import Clock
from spark_common.contracts.swaps import Cause, Phase
from spark_common.errors import HostKeyChangedError, SparkError, StaleEpochError
from spark_swapper import causes, runtime
from spark_swapper.attempt import Attempt
from spark_swapper.candidate import Candidate
from spark_swapper.causes import SwapFault
from spark_swapper.guarding.headroom import gib, memory_share, needed_bytes
from spark_swapper.guarding.memory_trend import MemoryTrend
from spark_swapper.guarding.quarantining import Quarantining
from spark_swapper.runtime import Glance, Runtime
from spark_swapper.settings import GuardSettings

_log = structlog.get_logger()


@dataclass
class HostLook:
    """What the latest poll brought of one host."""

    host: str
    glance: Glance | None
    """None: it did not answer this time."""
    silent_seconds: float = 0.0
    """For how long it has not answered over SSH."""


@dataclass
class _Watched:
    trend: MemoryTrend | None = None
    boot_id: str = ""


@dataclass
class Watchdog:
    """One load: ``look`` after every poll. Raises SwapFault when the load must not go on."""

    attempt: Attempt
    candidate: Candidate
    cluster: Runtime
    quarantining: Quarantining
    settings: GuardSettings
    clock: Clock
    _hosts: dict[str, _Watched] = field(default_factory=dict)

    async def look(self, looks: Iterable[HostLook]) -> None:
        """Take one poll of every host of the load."""
        for look in looks:
            known = self.attempt.journal.job.boots.get(self._where(look.host), "")
            watched = self._hosts.setdefault(look.host, _Watched(boot_id=known))
            if look.glance is not None:
                await self._answered(look.host, watched, look.glance)
            elif self._froze(watched, look.silent_seconds):
                left = gib(watched.trend.available or 0) if watched.trend else "little"
                what = (
                    f"has not answered for {look.silent_seconds:.0f} s, with {left} of memory "
                    "left when last seen,"
                )
                await self._quarantine(look.host, what)

    async def _answered(self, host: str, watched: _Watched, glance: Glance) -> None:
        if glance.boot_id and watched.boot_id and glance.boot_id != watched.boot_id:
            await self._quarantine(host, "went down and was started anew")
        if glance.boot_id and not watched.boot_id:
            watched.boot_id = glance.boot_id
            boots = {**self.attempt.journal.job.boots, self._where(host): glance.boot_id}
            await self.attempt.journal.adopt(boots=boots)
        available = glance.memory_available_bytes
        if available is None:
            return
        trend = watched.trend = watched.trend or self._trend(glance.memory_total_bytes)
        trend.see(self.clock.monotonic(), available)
        if trend.too_low():
            await self._end_load(host, trend)

    @property
    def _back(self) -> bool:
        return self.attempt.journal.job.phase is Phase.ROLLING_BACK

    def _where(self, host: str) -> str:
        """Name one load on one host: a host may have been started anew before the way back."""
        return f"{host} on the way back" if self._back else host

    def _trend(self, total: int | None) -> MemoryTrend:
        share = memory_share(self.candidate.vllm_argv)
        needed = needed_bytes(share, total) if total is not None else None
        return MemoryTrend(self.settings.memory_floor_gb * 1e9, needed)

    def _froze(self, watched: _Watched, silent_seconds: float) -> bool:
        long = silent_seconds >= self.settings.freeze_seconds
        return long and watched.trend is not None and watched.trend.running_out()

    async def _end_load(self, host: str, trend: MemoryTrend) -> None:
        label, left = self.cluster.label(host), gib(trend.available or 0)
        _log.error("swap.low_memory", swap_id=self.attempt.journal.job.id, host=host, left=left)
        floor = gib(int(trend.floor))
        cause = causes.low_memory_aborted(self.candidate.name, label, left, floor)
        # Both at once: the kill must not wait, and a new worker must know why it was.
        await asyncio.gather(
            self._keep(cause), *(self._kill(each) for each in self.candidate.hosts)
        )
        raise SwapFault(cause)

    async def _keep(self, cause: Cause) -> None:
        if not self._back:
            journal = self.attempt.journal
            await journal.keep(cause=cause, failed_in=journal.job.phase)

    async def _kill(self, host: str) -> None:
        """Take the container away at once; what is left is cleared like after any failure."""
        step = runtime.ROLLBACK_KILL if self._back else runtime.KILL
        try:
            await self.cluster.kill(self.attempt.order(step), host)
        except (StaleEpochError, HostKeyChangedError):
            raise
        except SparkError as error:
            _log.warning("swap.kill_failed", host=host, why=error.message)

    async def _quarantine(self, host: str, what: str) -> None:
        label, job = self.cluster.label(host), self.attempt.journal.job
        cause = causes.host_went_down(self.candidate.name, label, what)
        reason = f"{label} {what} while it was loading."
        await self.quarantining.put(self.candidate.key, reason, host, job.id)
        raise SwapFault(cause)
