"""The swap path put together: every part that carries a request to its one end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from spark_common.bus.port import Bus, Serving
from spark_common.clock import Clock
from spark_common.jobs.teller import Teller
from spark_swapper.adapters.gateway_path import GatewayPath
from spark_swapper.admitting.admission import Admission
from spark_swapper.admitting.ingress import Ingress
from spark_swapper.admitting.obstacles import Obstacles
from spark_swapper.admitting.planning import Planning
from spark_swapper.checks.preflighting import Preflighting
from spark_swapper.driving.bringing_up import BringingUp
from spark_swapper.driving.cancelling import Cancelling
from spark_swapper.driving.draining import Draining, answers_under_way
from spark_swapper.driving.runner import SwapRunner
from spark_swapper.driving.standstill import Updating, nobody
from spark_swapper.driving.stopping import Stopping
from spark_swapper.driving.worker import Worker
from spark_swapper.guarding.guard import MemoryGuard
from spark_swapper.guarding.quarantining import Quarantining
from spark_swapper.guarding.validating import Unsaved, Validating
from spark_swapper.guarding.verbs import GuardVerbs
from spark_swapper.handlers import Handlers
from spark_swapper.loads.loading import Loading
from spark_swapper.loads.loadlog import LoadLog
from spark_swapper.ports import ClientPath, LoadReader, Preflight, Shelf, Suggests
from spark_swapper.readiness.canary_watch import CanaryWatch
from spark_swapper.readiness.observer import RuntimeObserver
from spark_swapper.readiness.warming import Warming
from spark_swapper.records.fencing import claim_fence
from spark_swapper.records.outcomes import SwapOutcomes
from spark_swapper.records.store import JobStore, LeaseGate
from spark_swapper.records.swap_log import SwapLogs, SwapLogVerbs
from spark_swapper.records.sweeping import Sweeping
from spark_swapper.runtime import Runtime
from spark_swapper.settings import GuardSettings, SwapTimings


@dataclass(frozen=True)
class SwapPath:
    """The parts that carry a request to its one end, whatever they stand on."""

    handlers: Handlers
    runner: SwapRunner
    worker: Worker
    ingress: Ingress
    cancelling: Cancelling
    sweeping: Sweeping
    teller: Teller
    observer: RuntimeObserver
    outcomes: SwapOutcomes
    admission: Admission
    planning: Planning
    log_verbs: SwapLogVerbs
    keep_examining: Callable[[], Awaitable[None]]
    """Asks a model whose answers were gibberish again and again, for ever."""
    guard_verbs: GuardVerbs
    validating: Validating

    def verbs(self) -> list[Serving]:
        """Return every question the swap path answers."""
        return [
            *self.handlers.verbs(),
            *self.log_verbs.verbs(),
            *self.guard_verbs.verbs(),
        ]


def assemble(
    *,
    bus: Bus,
    store: JobStore,
    gate: LeaseGate,
    runtime: Runtime,
    shelf: Shelf,
    preflight: Preflight,
    suggesting: Suggests,
    observer: RuntimeObserver,
    canary: CanaryWatch,
    quarantining: Quarantining,
    guarding: GuardSettings,
    timings: SwapTimings,
    clock: Clock,
    logs: SwapLogs,
    refresh_soon: Callable[[], None],
    lost: Callable[[], None],
    unsaved: Unsaved,
    updating: Updating = nobody,
    clients: ClientPath | None = None,
    new_reader: Callable[[], LoadReader] = LoadLog,
) -> SwapPath:
    """Put the swap path together on these ports; starts nothing.

    ``clients``: the way clients take to the runtime, by default the gateway on this bus.
    ``new_reader`` makes the reader of the log of one start of a container.
    """
    guard = MemoryGuard(runtime, quarantining, guarding, timings, clock)
    preflighting = Preflighting(runtime, preflight, quarantining, clock)
    loading = Loading(runtime, timings, clock, new_reader, guard)
    clients = clients or GatewayPath(bus)
    warming = Warming(runtime, clients, timings, clock, loading, canary)
    runner = SwapRunner(
        runtime=runtime,
        shelf=shelf,
        preflighting=preflighting,
        guard=guard,
        draining=Draining(runtime, clients, timings, clock),
        stopping=Stopping(runtime, timings, clock),
        bringing_up=BringingUp(runtime, timings, clock, loading, warming),
        canary=canary,
        times=store,
        timings=timings,
        clock=clock,
    )
    teller = Teller(bus)
    outcomes = SwapOutcomes(bus, store, clock)
    worker = Worker(
        bus=bus,
        store=store,
        gate=gate,
        shelf=shelf,
        runtime=runtime,
        runner=runner,
        outcomes=outcomes,
        teller=teller,
        clock=clock,
        timings=timings,
        fence=lambda: claim_fence(store, runtime, clock),
        after_swap=observer.look,
        logs=logs,
        after_outcome=refresh_soon,
        remember=quarantining.remember,
        lost=lost,
        updating=updating,
    )
    planning = Planning(
        runtime=runtime,
        clients=clients,
        shelf=shelf,
        preflighting=preflighting,
        obstacles=Obstacles(store, gate, updating),
        canary=canary,
        times=store,
        timings=timings,
        clock=clock,
    )
    admission = Admission(
        bus=bus,
        store=store,
        gate=gate,
        shelf=shelf,
        planning=planning,
        quarantining=quarantining,
        runtime_view=observer.view,
        clock=clock,
        updating=updating,
    )
    validating = Validating(shelf, preflighting, quarantining, clock, unsaved)

    async def idle() -> bool:
        return worker.running is None and not (await answers_under_way(runtime, clients))[0]

    return SwapPath(
        handlers=Handlers(bus, store, admission, worker, shelf, suggesting),
        runner=runner,
        worker=worker,
        ingress=Ingress(bus, admission, clock),
        cancelling=Cancelling(bus, store, worker, outcomes, clock),
        sweeping=Sweeping(bus, store, admission, outcomes, clock),
        teller=teller,
        observer=observer,
        outcomes=outcomes,
        admission=admission,
        planning=planning,
        log_verbs=SwapLogVerbs(logs, store),
        keep_examining=lambda: canary.run(idle, observer.look),
        guard_verbs=GuardVerbs(
            shelf=shelf,
            planning=planning,
            validating=validating,
            quarantining=quarantining,
        ),
        validating=validating,
    )
