"""Watches the memory of every host until a model answers: one that runs out freezes the Spark."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from spark_common.clock import Clock
from spark_common.contracts.swaps import Cause, Phase
from spark_common.errors import HostKeyChangedError, SparkError, StaleEpochError
from spark_swapper import causes, runtime
from spark_swapper.causes import SwapFault
from spark_swapper.driving.attempt import Attempt
from spark_swapper.guarding.headroom import gib, memory_share, needed_bytes
from spark_swapper.guarding.memory_trend import MemoryTrend
from spark_swapper.guarding.quarantining import Quarantining
from spark_swapper.launching.candidate import Candidate
from spark_swapper.runtime import Glance, Runtime
from spark_swapper.settings import GuardSettings

T = TypeVar("T")
_log = structlog.get_logger()


@dataclass
class _Watched:
    trend: MemoryTrend | None = None
    boot_id: str = ""
    silent_since: float | None = None
    """Since when it has not answered over SSH."""


@dataclass
class Watchdog:
    """One load, to its first answer. Raises SwapFault when the load must not go on."""

    attempt: Attempt
    candidate: Candidate
    cluster: Runtime
    quarantining: Quarantining
    settings: GuardSettings
    clock: Clock
    _hosts: dict[str, _Watched] = field(default_factory=dict)

    async def look(self, looks: Mapping[str, Glance | None]) -> None:
        """Take one poll of every host of the load; None: it did not answer this time."""
        for host, glance in looks.items():
            known = self.attempt.journal.job.boots.get(self._where(host), "")
            watched = self._hosts.setdefault(host, _Watched(boot_id=known))
            if glance is not None:
                watched.silent_since = None
                await self._answered(host, watched, glance)
            else:
                await self._unanswered(host, watched)

    async def look_itself(self) -> None:
        """Poll every host of the load and take that."""
        hosts = self.candidate.hosts
        glances = await asyncio.gather(*(self._glance(host) for host in hosts))
        await self.look(dict(zip(hosts, glances, strict=True)))

    async def over(self, question: Awaitable[T], poll_seconds: float) -> T:
        """Await a question that touches nothing, and look meanwhile."""
        asking = asyncio.ensure_future(question)
        try:
            while not asking.done():
                pause = asyncio.ensure_future(self.clock.sleep(poll_seconds))
                await asyncio.wait({asking, pause}, return_when=asyncio.FIRST_COMPLETED)
                pause.cancel()
                if not asking.done():
                    await self.look_itself()
            return asking.result()
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def _answered(self, host: str, watched: _Watched, glance: Glance) -> None:
        if glance.boot_id and watched.boot_id and glance.boot_id != watched.boot_id:
            await self._quarantine(host, "went down and was started anew")
        available = glance.memory_available_bytes
        if glance.boot_id and not watched.boot_id:
            watched.boot_id = glance.boot_id
            await self._note_before(self._where(host), glance.boot_id, available or 0)
        if available is None:
            return
        trend = watched.trend = watched.trend or self._trend(host, glance.memory_total_bytes)
        trend.see(self.clock.monotonic(), available)
        if trend.too_low():
            await self._end_load(host, trend)

    async def _note_before(self, where: str, boot_id: str, available: int) -> None:
        """Save what the host was like before the load, for a worker that begins later."""
        job = self.attempt.journal.job
        await self.attempt.journal.adopt(
            boots={**job.boots, where: boot_id},
            memory_before={**job.memory_before, where: available},
        )

    async def _unanswered(self, host: str, watched: _Watched) -> None:
        now = self.clock.monotonic()
        if watched.silent_since is None:
            watched.silent_since = now
        silent, trend = now - watched.silent_since, watched.trend
        if silent < self.settings.freeze_seconds or trend is None or not trend.running_out():
            return
        if not await self._network_is_well(host):
            return
        what = (
            f"has not answered for {silent:.0f} s, with {gib(trend.available or 0)} of memory "
            "left when last seen,"
        )
        await self._quarantine(host, what)

    async def _network_is_well(self, silent: str) -> bool:
        """Whether another Spark answers: when none does, our own network may have failed.

        With one Spark nobody can tell; its memory was running out, so it is believed to hang.
        """
        others = [host for host in self.cluster.hosts if host != silent]
        glances = await asyncio.gather(*(self._glance(host) for host in others))
        return not others or any(glance is not None for glance in glances)

    async def _glance(self, host: str) -> Glance | None:
        try:
            return await self.cluster.container(host)
        except HostKeyChangedError:
            raise
        except SparkError:
            return None

    @property
    def _back(self) -> bool:
        return self.attempt.journal.job.phase is Phase.ROLLING_BACK

    def _where(self, host: str) -> str:
        """Name one load on one host: a host may have been started anew before the way back."""
        return f"{host} on the way back" if self._back else host

    def _trend(self, host: str, total: int | None) -> MemoryTrend:
        share = memory_share(self.candidate.vllm_argv)
        needed = needed_bytes(share, total) if total is not None else None
        before = self.attempt.journal.job.memory_before.get(self._where(host), 0)
        return MemoryTrend(self.settings.memory_floor_gb * 1e9, needed, before)

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
