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
from spark_common.leasing import LeaseGate
from spark_common.owner import LiveSettings
from spark_common.owner.redis_overlay import RedisOverlay
from spark_common.plain_http import plain_client
from spark_common.redis_access import connect_redis, require_redis
from spark_common.remote.port import RemoteShell
from spark_common.remote.ssh import SshShell
from spark_common.service import ReadyCheck, Service, answer_about, bus_check
from spark_common.service.compose import redis_check
from spark_common.subjects import MENU_CHANGED
from spark_swapper.adapters.launcher_probe import LauncherProbe
from spark_swapper.adapters.living_jobs import LivingJobs
from spark_swapper.adapters.log_files import LogFiles
from spark_swapper.adapters.redis_jobs import RedisJobs
from spark_swapper.adapters.redis_looks import RedisLooks
from spark_swapper.adapters.redis_marks import RedisMarks
from spark_swapper.adapters.redis_records import RedisRecords
from spark_swapper.adapters.ssh_runtime import SshRuntime
from spark_swapper.checks.preflight import ParserPreflight
from spark_swapper.disk import DiskDeletion, DiskVerbs, Leftovers
from spark_swapper.downloads.others import OtherWork
from spark_swapper.downloads.record import DOWNLOADS
from spark_swapper.downloads.sparks import DownloadSparks
from spark_swapper.downloads.token import token_from
from spark_swapper.downloads.wiring import DownloadParts, wire_downloads
from spark_swapper.editing.editing import Editing
from spark_swapper.editing.overriding import OverrideVerbs
from spark_swapper.editing.previewing import Previewing
from spark_swapper.editing.trying import Trying
from spark_swapper.editing.verbs import RecipeVerbs
from spark_swapper.guarding.quarantining import Quarantining
from spark_swapper.installing.record import INSTALLS
from spark_swapper.installing.wiring import InstallPart, wire_installs
from spark_swapper.launching.launch import LaunchSettings
from spark_swapper.menu.hosts import Hosts, Spark
from spark_swapper.menu.shelf import DiskShelf
from spark_swapper.readiness.canary_watch import CanaryWatch
from spark_swapper.readiness.observer import RuntimeObserver
from spark_swapper.recipes import OVERRIDES, RecipeBook, Recipes
from spark_swapper.settings import SwapperSettings
from spark_swapper.suggest import Suggesting
from spark_swapper.suggest.reader import ModelReader
from spark_swapper.swap_path import SwapPath, assemble
from spark_swapper.templates import Templating
from spark_swapper.updates.record import UPDATES
from spark_swapper.updates.wiring import UpdatePart, wire_updates

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
class Swapper:
    """The wired parts; ``build`` turns them into a service."""

    path: SwapPath
    shelf: DiskShelf
    downloads: DownloadParts
    updates: UpdatePart
    installs: InstallPart
    recipe_verbs: RecipeVerbs
    override_verbs: OverrideVerbs
    disk_verbs: DiskVerbs
    leftovers: Leftovers
    keep_launchers_known: Callable[[], Awaitable[None]]
    """Looks at what the launchers can do now and then, for ever: previews only remember."""

    def verbs(self) -> list[Serving]:
        """Return every verb of the swapper with its function."""
        return [
            *self.path.verbs(),
            *self.recipe_verbs.verbs(),
            *self.override_verbs.verbs(),
            *self.disk_verbs.verbs(),
            *self.downloads.verbs.verbs(),
            *self.updates.verbs.verbs(),
            *self.installs.verbs.verbs(),
        ]


def wire(
    settings: SwapperSettings,
    *,
    bus: Bus,
    redis: Redis,
    shell: RemoteShell,
    http: httpx.AsyncClient,
    clock: Clock,
    live: LiveSettings | None = None,
) -> Swapper:
    """Put the parts together on real Sparks; connects nothing and starts nothing.

    ``live``: what the owner set over ``settings``; whoever runs it keeps it up to date.
    """
    live = live or LiveSettings(RedisOverlay(redis), bus, clock)
    cluster = settings.cluster
    vllm, timings = live.of(cluster.runtime), live.of(settings.timings)
    hub = live.of(settings.hub)
    store = RedisJobs(redis)
    launchers = LauncherProbe(shell, lambda: vllm().vllm_dir)
    runtime = SshRuntime(shell, http, lambda: cluster.with_runtime(vllm()), launchers)
    gate, living = LeaseGate(redis), LivingJobs(redis)

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

    def launch() -> LaunchSettings:
        now = vllm()
        return LaunchSettings(now.vllm_container, now.vllm_image, now.vllm_port)

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
        preflight=ParserPreflight(shell, lambda: vllm().vllm_container),
        suggesting=Suggesting(hosts, reader, recipes, launch, launchers.known),
        observer=observer,
        canary=canary,
        quarantining=quarantining,
        guarding=live.of(settings.guard),
        timings=timings,
        clock=clock,
        logs=LogFiles(
            settings.data_dir / "logs" / "swaps", settings.swap_log_mb * 1_000_000, clock
        ),
        refresh_soon=shelf.refresh_soon,
        lost=_die,
        unsaved=Trying(recipes, launch),
        one_version=live.one_version,
        updating=lambda: living.first(UPDATES.name),
    )
    downloads = wire_downloads(
        bus=bus,
        store=RedisJobRecords(redis, DOWNLOADS),
        sparks=DownloadSparks(
            shell,
            lambda: cluster.with_runtime(vllm()),
            token_from(lambda: hub().hf_token, settings.hf_token_file),
        ),
        hosts=hosts,
        timings=live.of(settings.downloads),
        one_version=live.one_version,
        clock=clock,
        expected_bytes=lambda repo: _expected_bytes(recipes.book, repo),
        refresh_menu=lambda: shelf.menu(refresh=True),
        others=OtherWork(marks.held, lambda: living.first(UPDATES.name)),
    )
    updates = wire_updates(
        bus=bus,
        shell=shell,
        clock=clock,
        hosts=cluster.hosts,
        runtime=vllm,
        images=lambda: tuple(
            recipe.image for recipe in recipes.book.recipes if recipe.image is not None
        ),
        records=RedisJobRecords(redis, UPDATES),
        swaps=store,
        gate=gate,
        download=lambda: living.first(DOWNLOADS.name),
        changed=lambda: tell_menu_changed("updates"),
        poll_seconds=lambda: timings().poll_seconds,
        one_version=live.one_version,
    )
    installs = wire_installs(
        bus=bus,
        shell=shell,
        http=http,
        clock=clock,
        hosts=cluster,
        embed=live.of(settings.embed),
        records=RedisJobRecords(redis, INSTALLS),
        cluster_dir=settings.cluster_dir,
        poll_seconds=lambda: timings().poll_seconds,
    )
    deletion = DiskDeletion(
        shelf=shelf,
        shell=shell,
        loaded=observer,
        swaps=store,
        marks=marks,
        runtime=vllm,
        busy_with=lambda repo: downloads.verbs.busy_with(repo),
    )
    leftovers = Leftovers(lambda: hosts.sights, shell, clock, vllm)

    async def in_use() -> frozenset[str]:
        loaded = observer.view().model
        keys = {loaded}
        for job in await store.live():
            keys |= {job.model, job.previous}
        return frozenset(key for key in keys if key)

    templating = Templating(
        shell,
        tuple(sparks),
        lambda: vllm().vllm_dir,
        recipes,
        launch,
        clock,
    )
    editing = Editing(
        recipes=recipes,
        previewing=Previewing(hosts, reader, recipes, launch, launchers.known),
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
        installs,
        RecipeVerbs(editing, templating),
        OverrideVerbs(recipes, shelf.recipes_changed),
        DiskVerbs(deletion),
        leftovers,
        lambda: launchers.keep_known(runtime.hosts, clock),
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
    http = plain_client()
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
        live = LiveSettings(RedisOverlay(redis), bus, clock)
        swapper = wire(
            settings, bus=bus, redis=redis, shell=shell, http=http, clock=clock, live=live
        )
        # Before the first job: it would begin with what the environment says alone.
        await live.refresh()
        checks = [bus_check(bus), redis_check(redis), _streams_check(bus)]
        about = answer_about("swapper", checks, clock, lambda: (*settings.warnings, *live.warnings))
        verbs = [*swapper.verbs(), about]
        await bus.serve("swapper", version("spark-swapper"), "Models on disk and swaps", verbs)
    except BaseException:
        await close()
        raise
    return Service(
        name="swapper",
        checks=checks,
        background=[
            live.run,
            swapper.path.teller.run,
            swapper.path.observer.run,
            swapper.shelf.keep_fresh,
            swapper.path.worker.run,
            swapper.path.cancelling.run,
            swapper.path.ingress.run,
            swapper.path.sweeping.run,
            swapper.leftovers.run,
            swapper.keep_launchers_known,
            swapper.path.keep_examining,
            swapper.downloads.runner.run,
            swapper.updates.runner.run,
            swapper.installs.runner.run,
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
