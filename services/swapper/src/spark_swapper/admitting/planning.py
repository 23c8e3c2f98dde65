"""What a swap would do, without doing any of it."""

import asyncio
from dataclasses import dataclass

from spark_common.clock import Clock
from spark_common.contracts.plans import PlanSwap, SwapPlan
from spark_common.contracts.swaps import Cause, Phase, PhaseMark, RequestSwap, SwapView
from spark_common.errors import ModelNotReadyError, UnavailableError
from spark_swapper import causes
from spark_swapper.admitting.obstacles import Obstacles, Standing
from spark_swapper.checks.preflighting import Preflighting
from spark_swapper.driving.draining import answers_under_way
from spark_swapper.guarding.checks import Findings
from spark_swapper.guarding.headroom import RESERVE, gib
from spark_swapper.launching.candidate import Candidate
from spark_swapper.ports import ClientPath, PairTimes, Shelf
from spark_swapper.readiness.canary_watch import CanaryWatch
from spark_swapper.runtime import Runtime, Served
from spark_swapper.settings import SwapTimings


@dataclass(frozen=True)
class _Outlook:
    """Everything that was looked at for one plan."""

    before: Served | None
    key: str | None
    """Of the model that would be stopped, if it is on the menu."""
    in_flight: int | None
    found: Findings
    line: str
    """What would be run on the head."""
    standing: Standing
    pointless: tuple[Cause, ...]
    """Set when the model serves already."""


class Planning:
    """Runs the checks of a swap and writes down the rest."""

    def __init__(
        self,
        *,
        runtime: Runtime,
        clients: ClientPath,
        shelf: Shelf,
        preflighting: Preflighting,
        obstacles: Obstacles,
        canary: CanaryWatch,
        times: PairTimes,
        timings: SwapTimings,
        clock: Clock,
    ) -> None:
        self._runtime = runtime
        self._clients = clients
        self._shelf = shelf
        self._preflighting = preflighting
        self._obstacles = obstacles
        self._canary = canary
        self._timings = timings
        self._clock = clock
        self._times = times

    async def plan(self, swap_id: str, request: RequestSwap, candidate: Candidate) -> SwapView:
        """Return a view that is over: phase preflight, a plan, and a cause if it would fail."""
        began = self._clock.now()
        outlook = await self._look(request, candidate)
        standing, key = outlook.standing, outlook.key
        busy = standing.busy if request.when_busy == "reject" else ()
        blockers = [*standing.refused, *busy, *outlook.pointless, *outlook.found.causes]
        cause: Cause | None = blockers[0] if blockers else None
        finished = self._clock.now()
        seconds = (finished - began).total_seconds()
        return SwapView(
            id=swap_id,
            model=candidate.key,
            model_name=candidate.name,
            previous=key,
            requested_by=request.requested_by,
            when_busy=request.when_busy,
            rollback=request.rollback,
            force=request.force,
            dry_run=True,
            phase=Phase.PREFLIGHT,
            phases=[PhaseMark(phase=Phase.PREFLIGHT, at=began, seconds=seconds)],
            usual_seconds=await self._usual(key, candidate.key),
            message=cause.sentence if cause is not None else "Nothing speaks against it.",
            cause=cause,
            plan=[
                *(one.sentence for one in blockers[1:]),
                *outlook.found.doubts,
                *self._steps(candidate, outlook, request),
            ],
            serving=key,
            created_at=began,
            finished_at=finished,
        )

    async def outlook(self, request: PlanSwap) -> SwapPlan:
        """Return everything a person wants to know before pressing; raises UnknownModelError."""
        try:
            candidate = await self._shelf.find(request.model)
        except (ModelNotReadyError, UnavailableError) as error:
            return await self._without(request, error)
        outlook = await self._look(request, candidate)
        standing, before, key = outlook.standing, outlook.before, outlook.key
        return SwapPlan(
            model=candidate.key,
            model_name=candidate.name,
            served_name=candidate.served_name,
            stops=before.served_name if before is not None else None,
            stops_key=key,
            in_flight=outlook.in_flight,
            drain_seconds=self._timings.drain_seconds,
            eta_seconds=await self._usual(key, candidate.key),
            back_seconds=await self._usual(candidate.key, key) if key is not None else None,
            nodes=list(outlook.found.nodes),
            blockers=[
                *standing.refused,
                *standing.busy,
                *outlook.pointless,
                *outlook.found.causes,
            ],
            doubts=outlook.found.doubts,
            steps=self._steps(candidate, outlook, None),
            launch_cmd=outlook.line,
            running_swap=standing.running,
        )

    async def _without(
        self, request: PlanSwap, error: ModelNotReadyError | UnavailableError
    ) -> SwapPlan:
        """Return the plan of a model that cannot be started at all now."""
        before, standing = await asyncio.gather(
            self._preflighting.serving_now(), self._obstacles.now(request.lock_token)
        )
        key = self._shelf.key_for(before.repo) if before is not None else None
        return SwapPlan(
            model=request.model,
            model_name=request.model,
            served_name=request.model,
            stops=before.served_name if before is not None else None,
            stops_key=key,
            drain_seconds=self._timings.drain_seconds,
            blockers=[causes.refused(error)],
            running_swap=standing.running,
        )

    async def _look(self, request: PlanSwap | RequestSwap, candidate: Candidate) -> _Outlook:
        before, (answers, _), found, line, standing = await asyncio.gather(
            self._preflighting.serving_now(),
            answers_under_way(self._runtime, self._clients),
            self._preflighting.look(candidate),
            self._preflighting.launch_line(candidate),
            self._obstacles.now(request.lock_token, override=_overrides(request)),
        )
        # Where nothing is loaded nobody needs to say that nobody is answered.
        running = answers if answers is not None or before is not None else 0
        key = self._shelf.key_for(before.repo) if before is not None else None
        pointless: tuple[Cause, ...] = ()
        # One that babbles may be loaded again, and what serves while a swap runs is on its way.
        sound = before is not None and self._canary.degraded(before.repo) is None
        if sound and key == candidate.key and standing.running is None:
            pointless = (causes.loaded_already(candidate.name),)
        return _Outlook(before, key, running, found, line, standing, pointless)

    async def _usual(self, previous: str | None, key: str) -> float | None:
        try:
            return await self._times.usual_pair_seconds(previous, key)
        except UnavailableError:
            return None

    def _steps(
        self, candidate: Candidate, outlook: _Outlook, request: RequestSwap | None
    ) -> list[str]:
        where = " and ".join(self._runtime.label(host) for host in candidate.hosts)
        timings, before = self._timings, outlook.before
        steps = []
        if before is not None:
            running = outlook.in_flight
            answers = "1 answer" if running == 1 else f"{running} answers"
            answers = answers if running else "running answers"
            forced = request is not None and request.force
            then = "cut them off then" if forced else "give up if they are not done then"
            steps += [
                f"Let {answers} finish, for at most {timings.drain_seconds:g} s; {then}.",
                f"Stop {before.served_name} and wait until its container is gone from every Spark.",
            ]
        else:
            steps.append("Make sure no container of the runtime is left.")
        if request is not None and request.drop_caches:
            steps.insert(len(steps) - 1, f"Empty the page cache of {where}.")
        steps += [
            f"Wait until {gib(node.needed_bytes + RESERVE)} of memory are back on {node.label}."
            for node in outlook.found.nodes
            if node.needed_bytes is not None
        ]
        return [
            *steps,
            f"Launch on {where}: {outlook.line}",
            f"Follow the load for at most {timings.load_deadline(candidate, None):.0f} s.",
            f"Ask {candidate.served_name} for a first token; then it is serving.",
        ]


def _overrides(request: PlanSwap | RequestSwap) -> bool:
    return isinstance(request, RequestSwap) and request.override_lease
