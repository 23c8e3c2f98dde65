"""The composition root: the one place that knows every concrete class of the swapper."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import NoReturn

import httpx
from redis.asyncio import Redis

from spark_common.bus.nats import connect_bus
from spark_common.bus.port import Bus, Serving
from spark_common.clock import Clock, SystemClock
from spark_common.errors import UnavailableError
from spark_common.events import MenuChanged
from spark_common.ids import new_id
from spark_common.jobs import RedisJobRecords
from spark_common.redis_access import connect_redis, require_redis
from spark_common.remote.port import RemoteShell
from spark_common.remote.ssh import SshShell
from spark_common.service import ReadyCheck, Service, answer_about, bus_check, redis_check
from spark_common.subjects import MENU_CHANGED
from spark_swapper.adapters.gateway_path import GatewayPath
from spark_swapper.adapters.living_jobs import LivingJobs
from spark_swapper.adapters.log_files import LogFiles
from spark_swapper.adapters.redis_jobs import RedisJobs
from spark_swapper.adapters.redis_lease import RedisLeaseGate
from spark_swapper.adapters.redis_looks import RedisLooks
from spark_swapper.adapters.redis_marks import RedisMarks
from spark_swapper.adapters.redis_records import RedisRecords
from spark_swapper.adapters.ssh_runtime import SshRuntime
from spark_swapper.admission import Admission
from spark_swapper.bringing_up import BringingUp
from spark_swapper.canary_watch import CanaryWatch
from spark_swapper.cancelling import Cancelling
from spark_swapper.disk import DiskDeletion, DiskVerbs, Leftovers
from spark_swapper.downloads.record import DOWNLOADS
from spark_swapper.downloads.sparks import DownloadSparks
from spark_swapper.downloads.token import token_from
from spark_swapper.downloads.wiring import DownloadParts, wire_downloads
from spark_swapper.draining import Draining, answers_under_way
from spark_swapper.editing.editing import Editing
from spark_swapper.editing.previewing import Previewing
from spark_swapper.editing.verbs import RecipeVerbs
from spark_swapper.fencing import claim_fence
from spark_swapper.guarding.guard import MemoryGuard
from spark_swapper.guarding.quarantining import Quarantining
from spark_swapper.guarding.validating import Validating
from spark_swapper.guarding.verbs import GuardVerbs
from spark_swapper.handlers import Handlers
from spark_swapper.hosts import Hosts, Spark
from spark_swapper.ingress import Ingress
from spark_swapper.launch import LaunchSettings
from spark_swapper.loading import Loading
from spark_swapper.loadlog import LoadLog
from spark_swapper.observer import RuntimeObserver
from spark_swapper.outcomes import Outcomes
from spark_swapper.planning import Planning
from spark_swapper.ports import Preflight, Shelf, Suggests
from spark_swapper.preflight import ParserPreflight
from spark_swapper.preflighting import Preflighting
from spark_swapper.recipes import OVERRIDES, RecipeBook, Recipes
from spark_swapper.runner import SwapRunner
from spark_swapper.runtime import Runtime
from spark_swapper.settings import GuardSettings, SwapperSettings, SwapTimings
from spark_swapper.shelf import DiskShelf
from spark_swapper.standstill import Updating, nobody
from spark_swapper.stopping import Stopping
from spark_swapper.store import JobStore, LeaseGate
from spark_swapper.suggest import Suggesting
from spark_swapper.suggest.reader import ModelReader
from spark_swapper.swap_log import SwapLogs, SwapLogVerbs
from spark_swapper.sweeping import Sweeping
from spark_swapper.teller import Teller
from spark_swapper.templates import Templating
from spark_swapper.updates.record import UPDATES
from spark_swapper.updates.wiring import UpdatePart, wire_updates
from spark_swapper.warming import Warming
from spark_swapper.worker import Worker

STREAMS = (
    "SC_INGRESS",
    "SC_SWAP_CMD",
    "SC_SWAP_EVT",
    "SC_SWAP_ADM",
    "SC_PROGRESS",
    "SC_JOB_EVT",
    "SC_JOB_PROGRESS",
)


@dataclass(frozen=True)
class SwapPath:
    """The parts that carry a request to its one end, whatever they stand on."""

    handlers: Handlers
    worker: Worker
    ingress: Ingress
    cancelling: Cancelling
    sweeping: Sweeping
    teller: Teller
    observer: RuntimeObserver
    outcomes: Outcomes
    admission: Admission
    log_verbs: SwapLogVerbs
    keep_examining: Callable[[], Awaitable[None]]
    """Asks a model whose answers were gibberish again and again, for ever."""
    guard_verbs: GuardVerbs

    def verbs(self) -> list[Serving]:
        """Return every question the swap path answers."""
        return [
            *self.handlers.verbs(),
            *self.log_verbs.verbs(),
            *self.guard_verbs.verbs(),
        ]


@dataclass(frozen=True)
class Swapper:
    """The wired parts; ``build`` turns them into a service."""

    path: SwapPath
    shelf: DiskShelf
    downloads: DownloadParts
    updates: UpdatePart
    recipe_verbs: RecipeVerbs
    disk_verbs: DiskVerbs
    leftovers: Leftovers

    def verbs(self) -> list[Serving]:
        """Return every verb of the swapper with its function."""
        return [
            *self.path.verbs(),
            *self.recipe_verbs.verbs(),
            *self.disk_verbs.verbs(),
            *self.downloads.verbs.verbs(),
            *self.updates.verbs.verbs(),
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
    updating: Updating = nobody,
) -> SwapPath:
    """Put the swap path together on these ports; starts nothing."""
    guard = MemoryGuard(runtime, quarantining, guarding, timings, clock)
    preflighting = Preflighting(runtime, preflight, quarantining, clock)
    loading = Loading(runtime, timings, clock, LoadLog, guard)
    clients = GatewayPath(bus)
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
    outcomes = Outcomes(bus, store, clock)
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
    planning = Planning(runtime, shelf, preflighting, timings, clock, store.usual_seconds)
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

    async def idle() -> bool:
        return worker.running is None and not (await answers_under_way(runtime, clients))[0]

    return SwapPath(
        handlers=Handlers(bus, store, admission, worker, shelf, suggesting),
        worker=worker,
        ingress=Ingress(bus, admission, clock),
        cancelling=Cancelling(bus, store, worker, outcomes, clock),
        sweeping=Sweeping(bus, store, admission, outcomes, clock),
        teller=teller,
        observer=observer,
        outcomes=outcomes,
        admission=admission,
        log_verbs=SwapLogVerbs(logs, store),
        keep_examining=lambda: canary.run(idle, observer.look),
        guard_verbs=GuardVerbs(
            shelf=shelf,
            store=store,
            gate=gate,
            planning=planning,
            validating=Validating(shelf, preflighting, quarantining, clock),
            quarantining=quarantining,
        ),
    )


def wire(
    settings: SwapperSettings,
    *,
    bus: Bus,
    redis: Redis,
    shell: RemoteShell,
    http: httpx.AsyncClient,
    clock: Clock,
) -> Swapper:
    """Put the parts together on real Sparks; connects nothing and starts nothing."""
    cluster = settings.cluster
    store = RedisJobs(redis)
    runtime = SshRuntime(shell, http, cluster)
    gate, living = RedisLeaseGate(redis), LivingJobs(redis)

    async def tell_menu_changed(reason: str) -> None:
        await bus.publish(MENU_CHANGED, MenuChanged(reason=reason), id=new_id())

    canary = CanaryWatch(runtime, store, clock)
    observer = RuntimeObserver(
        runtime,
        clock,
        key_for=lambda repo: shelf.key_for(repo),
        on_change=lambda: shelf.announce(),
        degraded=canary.degraded,
    )
    quarantining = Quarantining(RedisRecords(redis), clock, lambda: shelf.announce())
    recipes = Recipes(settings.data_dir / OVERRIDES)
    sparks = [Spark(host.name, host.label) for host in cluster.hosts]
    hosts = Hosts(shell, sparks, clock, RedisLooks(redis), lambda: recipes.book.local_paths)
    marks = RedisMarks(redis)
    reader = ModelReader(shell, clock)
    launch = LaunchSettings(cluster.vllm_container, cluster.vllm_image, cluster.vllm_port)
    shelf = DiskShelf(
        hosts=hosts,
        recipes=recipes,
        launch=launch,
        watch=observer,
        times=store,
        clock=clock,
        on_change=tell_menu_changed,
        notes=quarantining.shown,
        deleting=marks.held,
    )

    path = assemble(
        bus=bus,
        store=store,
        gate=gate,
        runtime=runtime,
        shelf=shelf,
        preflight=ParserPreflight(shell, cluster.vllm_container),
        suggesting=Suggesting(hosts, reader, recipes, launch),
        observer=observer,
        canary=canary,
        quarantining=quarantining,
        guarding=settings.guard,
        timings=settings.timings,
        clock=clock,
        logs=LogFiles(
            settings.data_dir / "logs" / "swaps", settings.swap_log_mb * 1_000_000, clock
        ),
        refresh_soon=shelf.refresh_soon,
        lost=_die,
        updating=lambda: living.first(UPDATES.name),
    )
    downloads = wire_downloads(
        bus=bus,
        store=RedisJobRecords(redis, DOWNLOADS),
        sparks=DownloadSparks(
            shell, cluster, token_from(settings.hf_token, settings.hf_token_file)
        ),
        hosts=hosts,
        timings=settings.downloads,
        clock=clock,
        expected_bytes=lambda repo: _expected_bytes(recipes.book, repo),
        refresh_menu=lambda: shelf.menu(refresh=True),
        hindered=marks.hinders,
    )
    updates = wire_updates(
        bus=bus,
        shell=shell,
        clock=clock,
        cluster=cluster,
        images=lambda: tuple(
            recipe.image for recipe in recipes.book.recipes if recipe.image is not None
        ),
        records=RedisJobRecords(redis, UPDATES),
        swaps=store,
        gate=gate,
        download=lambda: living.first(DOWNLOADS.name),
        changed=lambda: tell_menu_changed("updates"),
        poll_seconds=settings.timings.poll_seconds,
    )
    image, container = cluster.vllm_image, cluster.vllm_container
    deletion = DiskDeletion(
        shelf=shelf,
        shell=shell,
        loaded=observer,
        swaps=store,
        marks=marks,
        image=image,
        container=container,
        busy_with=lambda repo: downloads.verbs.busy_with(repo),
    )
    leftovers = Leftovers(lambda: hosts.sights, shell, clock, image, container)

    async def in_use() -> frozenset[str]:
        loaded = observer.view().model
        keys = {loaded}
        for job in await store.live():
            keys |= {job.model, job.previous}
        return frozenset(key for key in keys if key)

    templating = Templating(
        shell,
        tuple(sparks),
        cluster.vllm_dir,
        recipes,
        launch,
        clock,
    )
    editing = Editing(
        recipes=recipes,
        previewing=Previewing(hosts, reader, recipes, launch),
        templating=templating,
        named=shelf.key_named,
        in_use=in_use,
        changed=shelf.recipes_changed,
    )
    return Swapper(
        path,
        shelf,
        downloads,
        updates,
        RecipeVerbs(editing, templating),
        DiskVerbs(deletion),
        leftovers,
    )


async def build(settings: SwapperSettings) -> Service:
    """Connect and wire the swapper.

    Raises UnavailableError while NATS, its streams or Redis are not there yet; the start is
    tried again then.
    """
    clock = SystemClock()
    # Every script and read of ours may be repeated harmlessly, a fence may even be skipped; so
    # a connection that a restart of Redis left dead costs nobody a refusal.
    redis = connect_redis(settings.redis, "swapper", idempotent_reads=True)
    http = httpx.AsyncClient(trust_env=False)
    shell = SshShell(settings.cluster, clock)
    bus: Bus | None = None

    async def close() -> None:
        if bus is not None:
            await bus.close()
        await shell.close()
        await http.aclose()
        await redis.aclose()

    try:
        await require_redis(redis)
        bus = await connect_bus(settings.bus, "swapper", clock)
        for stream in STREAMS:
            await bus.bounds(stream)
        swapper = wire(settings, bus=bus, redis=redis, shell=shell, http=http, clock=clock)
        checks = [bus_check(bus), redis_check(redis), _streams_check(bus)]
        verbs = [*swapper.verbs(), answer_about("swapper", checks, clock)]
        await bus.serve("swapper", version("spark-swapper"), "Models on disk and swaps", verbs)
    except BaseException:
        await close()
        raise
    return Service(
        name="swapper",
        checks=checks,
        background=[
            swapper.path.teller.run,
            swapper.path.observer.run,
            swapper.shelf.keep_fresh,
            swapper.path.worker.run,
            swapper.path.cancelling.run,
            swapper.path.ingress.run,
            swapper.path.sweeping.run,
            swapper.leftovers.run,
            swapper.path.keep_examining,
            swapper.downloads.runner.run,
            swapper.updates.runner.run,
            swapper.updates.look.run,
        ],
        close=close,
    )


def _expected_bytes(book: RecipeBook, repo: str) -> int | None:
    recipe = book.for_repo(repo)
    return recipe.size_bytes if recipe is not None else None


def _streams_check(bus: Bus) -> ReadyCheck:
    async def ask() -> str | None:
        for stream in STREAMS:
            try:
                await bus.bounds(stream)
            except UnavailableError as error:
                return f"{stream}: {error.message}"
        return None

    return ReadyCheck("streams", ask)


def _die() -> NoReturn:
    """End at once: a newer worker acts, and nothing here may act, tell or acknowledge any more."""
    os._exit(76)
