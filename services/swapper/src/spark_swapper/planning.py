"""What a swap would do, without doing any of it."""

import shlex

from spark_common.clock import Clock
from spark_common.contracts.swaps import Cause, Phase, PhaseMark, RequestSwap, SwapView
from spark_swapper import causes
from spark_swapper.candidate import Candidate
from spark_swapper.causes import SwapFault
from spark_swapper.ports import Shelf
from spark_swapper.preflighting import Preflighting
from spark_swapper.runtime import Runtime
from spark_swapper.settings import SwapTimings


class Planning:
    """Runs the checks of a swap and writes down the rest."""

    def __init__(
        self,
        runtime: Runtime,
        shelf: Shelf,
        preflighting: Preflighting,
        timings: SwapTimings,
        clock: Clock,
    ) -> None:
        self._runtime = runtime
        self._shelf = shelf
        self._preflighting = preflighting
        self._timings = timings
        self._clock = clock

    async def plan(
        self, swap_id: str, request: RequestSwap, candidate: Candidate, holder: str | None
    ) -> SwapView:
        """Return a view that is over: phase preflight, a plan, and a cause if it would fail.

        ``holder``: who reserved the cluster, when that would refuse the swap.
        """
        began = self._clock.now()
        before = await self._preflighting.serving_now()
        cause: Cause | None = causes.lease_held(holder) if holder is not None else None
        doubts: list[str] = []
        try:
            doubts = await self._preflighting.check(candidate)
        except SwapFault as fault:
            cause = fault.cause
        finished = self._clock.now()
        seconds = (finished - began).total_seconds()
        key = self._shelf.key_for(before.repo) if before is not None else None
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
            message=cause.sentence if cause is not None else "Nothing speaks against it.",
            cause=cause,
            plan=[
                *doubts,
                *self._steps(candidate, before.served_name if before else None, request.force),
            ],
            serving=key,
            created_at=began,
            finished_at=finished,
        )

    def _steps(self, candidate: Candidate, serving: str | None, force: bool) -> list[str]:
        where = " and ".join(self._runtime.label(host) for host in candidate.hosts)
        timings = self._timings
        then = "cut them off then" if force else "give up if they are not done then"
        drain = f"Let running answers finish, for at most {timings.drain_seconds:g} s; {then}."
        stop = f"Stop {serving} and wait until its container is gone from every Spark."
        return [
            *([drain, stop] if serving else ["Make sure no container of the runtime is left."]),
            f"Launch on {where}: {shlex.join(candidate.launch_argv)}",
            f"Follow the load for at most {timings.load_deadline_seconds:g} s.",
            f"Ask {candidate.served_name} for a first token; then it is serving.",
        ]
