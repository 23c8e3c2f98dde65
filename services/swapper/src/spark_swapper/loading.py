"""Follows a load until the model answers over HTTP, or until it is clear that it never will."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from spark_common.clock import Clock
from spark_common.contracts.swaps import Cause
from spark_swapper import causes, eta
from spark_swapper.attempt import Attempt
from spark_swapper.candidate import Candidate
from spark_swapper.causes import SwapFault
from spark_swapper.guarding.guard import MemoryGuard
from spark_swapper.host_load import LOOKS_TO_BE_SURE, HostLoad
from spark_swapper.ports import LoadReader, LogEvent
from spark_swapper.runtime import Runtime, Served
from spark_swapper.settings import SwapTimings

_SAYING = {
    "starting": "vLLM is starting",
    "config": "Reading the model's configuration",
    "distributed": "Connecting the Sparks to each other",
    "weights": "Loading the weights",
    "weights_loaded": "The weights are loaded; preparing the engine",
    "compile": "Compiling for this GPU",
    "kv_cache": "Reserving memory for conversations",
    "autotune": "Tuning for this GPU",
    "graphs": "Recording CUDA graphs",
    "engine": "The engine is ready; opening the door",
    "serving": "The server is up",
}


class Loading:
    """Polls the hosts of a candidate, one round trip per host and poll."""

    def __init__(
        self,
        runtime: Runtime,
        timings: SwapTimings,
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
        deadline = attempt.deadline(self._timings.load_deadline_seconds)
        loads = self._loads(candidate)
        view = _LoadView(candidate, self._clock.monotonic())
        watchdog = self._guard.watch(attempt, candidate)
        quiet_since = self._clock.monotonic()
        while True:
            attempt.stop_if_cancelled()
            looks = await asyncio.gather(*(load.look(attempt.order(step)) for load in loads))
            await watchdog.look(load.host_look() for load in loads)
            now = self._clock.monotonic()
            view.take(looks[0], now)
            quiet_since = now if any(load.spoke for load in loads) else quiet_since
            served = await self._runtime.served(candidate.head)
            await self._note(attempt, view, loads, [event for look in looks for event in look])
            if served is not None and served.repo == candidate.repo:
                return served
            self._give_up_if_lost(candidate, loads)
            self._give_up_if_late(candidate, loads, deadline, quiet_since)
            await self._clock.sleep(self._timings.poll_seconds)

    async def autopsy(self, attempt: Attempt, candidate: Candidate, step: str) -> Cause | None:
        """Look at a runtime that went away; return the cause, or None when it is alive."""
        loads = self._loads(candidate)
        for _ in range(LOOKS_TO_BE_SURE):
            await asyncio.gather(*(load.look(attempt.order(step)) for load in loads))
            await self._clock.sleep(self._timings.poll_seconds)
        return next((cause for load in loads if (cause := load.cause(candidate.name))), None)

    def _loads(self, candidate: Candidate) -> list[HostLoad]:
        return [
            HostLoad(
                self._runtime,
                host,
                self._new_reader(),
                self._clock,
                head=host == candidate.head,
                appear_seconds=self._timings.appear_seconds,
            )
            for host in candidate.hosts
        ]

    async def _note(
        self,
        attempt: Attempt,
        view: "_LoadView",
        loads: Iterable[HostLoad],
        events: Sequence[LogEvent],
    ) -> None:
        await attempt.journal.note(
            _waiting(loads) or view.message(),
            percent=view.percent,
            eta_seconds=eta.remaining(
                usual_seconds=attempt.journal.job.usual_seconds,
                elapsed_seconds=attempt.elapsed_seconds(),
                percent=view.percent,
                percent_seconds=self._clock.monotonic() - view.weights_since,
            ),
            lines=tuple(event.line for event in events),
        )

    def _give_up_if_lost(self, candidate: Candidate, loads: Iterable[HostLoad]) -> None:
        # Workers first: the head only says that a worker is missing, never why.
        for load in sorted(loads, key=lambda load: load.head):
            cause = load.cause(candidate.name)
            if cause is not None:
                raise SwapFault(cause)

    def _give_up_if_late(
        self,
        candidate: Candidate,
        loads: Sequence[HostLoad],
        deadline: float,
        quiet_since: float,
    ) -> None:
        now, timings = self._clock.monotonic(), self._timings
        lines = [line for load in loads for line in load.last_lines]
        if now >= deadline:
            for load in loads:
                silence = load.silence()
                if silence is not None and silence[0] == "SSH":
                    step = f"{candidate.name} was loading"
                    raise SwapFault(causes.ssh_timeout(load.label, silence[1], step))
            seconds = timings.load_deadline_seconds
            raise SwapFault(causes.load_deadline(candidate.name, seconds, lines))
        if now - quiet_since >= timings.stall_seconds:
            raise SwapFault(causes.stalled(candidate.name, timings.stall_seconds, lines))


class _LoadView:
    """What the head's log says about how far the load is."""

    def __init__(self, candidate: Candidate, now: float) -> None:
        self._name = candidate.name
        self._milestone: str | None = None
        self.percent: float | None = None
        self.weights_since = now

    def take(self, events: Iterable[LogEvent], now: float) -> None:
        """Take the new lines of the head."""
        for event in events:
            if event.percent is not None:
                self.weights_since = now if self.percent is None else self.weights_since
                self.percent = event.percent
            self._milestone = event.milestone or self._milestone

    def message(self) -> str:
        """Return the sentence for people."""
        if self.percent is not None and self.percent < 100:
            return f"Loading the weights of {self._name}."
        saying = _SAYING.get(self._milestone or "")
        return f"{saying}." if saying else f"Loading {self._name}."


def _waiting(loads: Iterable[HostLoad]) -> str | None:
    for load in loads:
        silence = load.silence()
        if silence is not None:
            return f"waiting for {load.label} ({silence[0]} silent {silence[1]:.0f} s)"
    return None
