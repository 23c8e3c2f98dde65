"""Follows a load until the model answers over HTTP, or until it is clear that it never will."""

import asyncio
from collections.abc import Callable, Sequence

from spark_common.clock import Clock
from spark_common.contracts.swaps import Cause, Phase
from spark_swapper import causes
from spark_swapper.admitting import eta
from spark_swapper.causes import SwapFault
from spark_swapper.driving.attempt import Attempt
from spark_swapper.guarding.guard import MemoryGuard
from spark_swapper.guarding.watchdog import Watchdog
from spark_swapper.launching.candidate import Candidate
from spark_swapper.launching.launcher_signs import launcher_cause
from spark_swapper.loads.blaming import Witness, first_cause
from spark_swapper.loads.host_load import LOOKS_TO_BE_SURE, HostLoad
from spark_swapper.loads.load_view import LoadView
from spark_swapper.loads.silence import Silence
from spark_swapper.ports import LoadReader, LogEvent
from spark_swapper.runtime import Runtime, Served
from spark_swapper.settings import SwapTimings

_LOOKS_AT_A_LOG = 4
"""Looks after which a log that says something decisive was read to its end."""
_KNOCK_SHARE = 0.2
"""Of the time between two looks: so often the model itself is asked, which takes no SSH."""
STRANGER_LOOKS = 3
"""Answers of another model in a row after which this one will not come."""


class Loading:
    """Polls the hosts of a candidate, one round trip per host and poll."""

    def __init__(
        self,
        runtime: Runtime,
        timings: Callable[[], SwapTimings],
        clock: Clock,
        new_reader: Callable[[], LoadReader],
        guard: MemoryGuard,
    ) -> None:
        self._runtime = runtime
        self._timings = timings
        self._clock = clock
        self._new_reader = new_reader
        self._guard = guard

    async def run(self, attempt: Attempt, candidate: Candidate, step: str) -> Served:
        """Return what serves; raises SwapFault with the first real cause, CancelRequested."""
        load = _Load(
            self._runtime, self._timings(), self._clock, attempt, candidate, step, self._new_reader
        )
        return await load.run(self.watch(attempt, candidate))

    def watch(self, attempt: Attempt, candidate: Candidate) -> Watchdog:
        """Return the watch over this load, which goes on until the first answer."""
        return self._guard.watch(attempt, candidate)

    async def autopsy(
        self, attempt: Attempt, candidate: Candidate, step: str, *, ails: bool = True
    ) -> Cause | None:
        """Look at a runtime that was up; return why it died, None when it is alive.

        ``ails``: it does not answer as it should, so its log counts even while processes live.
        """
        load = _Load(
            self._runtime, self._timings(), self._clock, attempt, candidate, step, self._new_reader
        )
        return await load.autopsy(least_looks=_LOOKS_AT_A_LOG if ails else 1)


class _Load:
    """One load, from poll to poll."""

    def __init__(
        self,
        runtime: Runtime,
        timings: SwapTimings,
        clock: Clock,
        attempt: Attempt,
        candidate: Candidate,
        step: str,
        new_reader: Callable[[], LoadReader],
    ) -> None:
        self._runtime = runtime
        self._timings = timings
        self._clock = clock
        self._attempt = attempt
        self._candidate = candidate
        self._order = attempt.order(step)
        usual = attempt.journal.job.usual_seconds
        self._seconds = timings.load_deadline(candidate, usual)
        self._silence = Silence(clock.monotonic(), timings.stall_seconds)
        self._view = LoadView(candidate, clock.monotonic())
        self._launched_at: float | None = None
        self._waited_looks = 0
        self._strangers = 0
        self._hosts = [
            HostLoad(
                runtime,
                host,
                new_reader(),
                clock,
                head=host == candidate.head,
                appear_seconds=timings.appear_seconds,
            )
            for host in candidate.hosts
        ]

    async def run(self, watchdog: Watchdog) -> Served:
        """Poll until it serves; raises SwapFault, CancelRequested."""
        deadline = self._attempt.deadline(self._seconds)
        while True:
            self._attempt.stop_if_cancelled()
            looks = await self._look()
            await watchdog.look({host.host: host.answer for host in self._hosts})
            now = self._clock.monotonic()
            self._expect_workers(now)
            self._view.take(looks[0], now)
            if any(host.went_on for host in self._hosts):
                self._silence.broken(now)
            served = await self._runtime.served(self._candidate.head)
            await self._note([event for look in looks for event in look])
            if served is not None and served.repo == self._candidate.repo and self._whole():
                return served
            await self._give_up_if_lost()
            self._give_up_if_displaced(served)
            self._give_up_if_late(deadline)
            await self._until_it_answers()

    async def _until_it_answers(self) -> None:
        """Wait for the next look; it is due at once when the model answers meanwhile."""
        until = self._clock.monotonic() + self._timings.poll_seconds
        while (left := until - self._clock.monotonic()) > 0:
            await self._clock.sleep(min(left, self._timings.poll_seconds * _KNOCK_SHARE))
            served = await self._runtime.served(self._candidate.head)
            if served is not None and served.repo == self._candidate.repo and self._whole():
                return

    async def autopsy(self, least_looks: int) -> Cause | None:
        """Look until it is certain; return why it died, None when it is alive."""
        for host in self._hosts:
            host.expect()
        for number in range(1, LOOKS_TO_BE_SURE + 1):
            await self._look()
            cause = await self._lost()
            if cause is not None:
                return cause
            if number >= least_looks and all(host.alive for host in self._hosts):
                return None
            await self._clock.sleep(self._timings.poll_seconds)
        return None

    async def _look(self) -> Sequence[Sequence[LogEvent]]:
        deep = len(self._hosts) > 1 and self._silence.worth_a_closer_look(self._clock.monotonic())
        return await asyncio.gather(*(host.look(self._order, deep=deep) for host in self._hosts))

    def _expect_workers(self, now: float) -> None:
        """When the launcher on the head is done, a worker's container stands, and vLLM is near."""
        head = self._hosts[0]
        if self._launched_at is None and head.launcher_done:
            self._launched_at = now
        if self._launched_at is None:
            return
        in_time = now - self._launched_at < self._timings.appear_seconds
        for host in self._hosts[1:]:
            if host.missing or not in_time:
                host.expect()

    def _whole(self) -> bool:
        """Say whether every rank is there: a head may answer although a worker just died."""
        return not any(host.failing for host in self._hosts if not host.head)

    async def _note(self, events: Sequence[LogEvent]) -> None:
        view, journal = self._view, self._attempt.journal
        await journal.note(
            self._waiting() or view.message(),
            percent=view.percent,
            eta_seconds=eta.remaining(
                usual_seconds=journal.job.usual_seconds,
                elapsed_seconds=self._attempt.elapsed_seconds(),
                percent=view.percent,
                percent_seconds=self._clock.monotonic() - view.weights_since,
            ),
            lines=tuple(event.line for event in events),
        )

    def _waiting(self) -> str | None:
        for host in self._hosts:
            silence = host.silence()
            if silence is not None:
                return f"waiting for {host.label} ({silence[0]} silent {silence[1]:.0f} s)"
        return None

    async def _give_up_if_lost(self) -> None:
        cause = await self._lost()
        if cause is not None:
            raise SwapFault(cause)

    async def _lost(self) -> Cause | None:
        """Return why the load failed, from the Spark where it began to."""
        name = self._candidate.name
        causes_by_host = [(host, self._cause(host, name)) for host in self._hosts]
        known = any(cause is not None for _, cause in causes_by_host)
        self._waited_looks = self._waited_looks + 1 if known else 0
        first = first_cause(
            [
                Witness(host.head, cause, host.failing and cause is None)
                for host, cause in causes_by_host
            ],
            self._waited_looks,
        )
        for host, cause in causes_by_host:
            if first is not None and cause is first:
                return await host.explained(first, self._seconds_since_launch())
        return None

    def _seconds_since_launch(self) -> float:
        """Return how long ago the step before the load began; an earlier load is not meant."""
        job = self._attempt.journal.job
        began = job.entered_at(Phase.ROLLING_BACK) or job.entered_at(Phase.LAUNCHING)
        began = began or job.phases[-1].at
        return max(1.0, (self._clock.now() - began).total_seconds())

    def _cause(self, host: HostLoad, name: str) -> Cause | None:
        cause = host.cause(name)
        if cause is None or cause.code != "launch_failed" or host.head:
            return cause
        # Only the launcher on the head knows why nothing came up on a worker.
        said = launcher_cause(self._hosts[0].launcher_output)
        return host.named(said) if said is not None else cause

    def _give_up_if_displaced(self, served: Served | None) -> None:
        """Another model that answers on the port was started past us, and is none of ours."""
        stranger = served is not None and served.repo != self._candidate.repo
        self._strangers = self._strangers + 1 if stranger else 0
        if served is not None and self._strangers >= STRANGER_LOOKS:
            raise SwapFault(causes.displaced(self._candidate.name, served.served_name))

    def _give_up_if_late(self, deadline: float) -> None:
        now, name, hosts = self._clock.monotonic(), self._candidate.name, self._hosts
        lines = [line for host in hosts for line in host.last_lines]
        if now >= deadline:
            for host in hosts:
                silence = host.silence()
                if silence is not None and silence[0] == "SSH":
                    step = f"{name} was loading"
                    raise SwapFault(causes.ssh_timeout(host.label, silence[1], step))
            raise SwapFault(causes.load_deadline(name, self._seconds, lines))
        gpus = [host.gpu_percent for host in hosts]
        if len(hosts) > 1 and self._silence.hanging(now, gpus):
            busy = max(hosts, key=lambda host: host.gpu_percent or 0)
            idle = min(hosts, key=lambda host: host.gpu_percent or 0)
            quiet = self._silence.seconds(now)
            raise SwapFault(causes.ranks_hang(name, busy.label, idle.label, quiet, lines))
        cores = [host.cores for host in hosts if host.cores is not None]
        if self._silence.over(
            now, milestone=hosts[0].milestone, cores=max(cores) if cores else None
        ):
            quiet = self._silence.seconds(now)
            if hosts[0].milestone == "weights" and not self._view.percent and self._fast_loader():
                raise SwapFault(causes.loader_hangs(name, quiet, lines))
            raise SwapFault(causes.stalled(name, quiet, lines))

    def _fast_loader(self) -> bool:
        return any("fastsafetensors" in word for word in self._candidate.vllm_argv)
