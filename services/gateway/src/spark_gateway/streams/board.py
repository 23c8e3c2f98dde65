"""What a dashboard needs to see at once: asked for once, for all who look."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog
from pydantic import TypeAdapter

from spark_common import subjects
from spark_common.bus import Bus
from spark_common.clock import Clock
from spark_common.contracts.captures import GET_CAPTURE, CaptureView, GetCapture
from spark_common.contracts.downloads import LIST_DOWNLOADS, Downloads, ListDownloads
from spark_common.contracts.health import GET_HEALTH, GetHealth, HealthView
from spark_common.contracts.leases import GET_LEASE, GetLease, LeaseView
from spark_common.contracts.models import LIST_MODELS, ListModels, Menu
from spark_common.contracts.rpc import Reply, ReplyT, RequestT, Rpc
from spark_common.contracts.swaps import LIST_SWAPS, ListSwaps, Swaps, SwapView
from spark_common.contracts.updates import GET_UPDATES, GetUpdates, Updates
from spark_common.errors import SparkError
from spark_common.events import HealthTransition
from spark_common.tasks import together
from spark_gateway.streams.entry import Entry
from spark_gateway.streams.hub import Hub
from spark_gateway.streams.neighbours import Component, Neighbours
from spark_gateway.streams.pace import Pace

_ASK_SECONDS = 2.0
_PATIENCE_SECONDS = 1.5
_BUS_LOOK_SECONDS = 0.25
_LISTEN_AGAIN_SECONDS = 1.0
_LEASE_END_SECONDS = 2.0
"""The end is computed from what remains; less than this is the noise of asking."""
_LOG = structlog.get_logger()
_COMPONENTS = TypeAdapter(list[Component])


class BusView(Reply):
    """Whether the event bus works, and what was wrong last."""

    connected: bool
    detail: str | None = None


class LiveSnapshot(Reply):
    """The dashboard's whole picture. What nobody answers about is null."""

    menu: Menu | None
    swaps: Swaps | None
    downloads: Downloads | None = None
    updates: Updates | None = None
    lease: LeaseView | None = None
    capture: CaptureView | None = None
    """Whether what is asked and answered is being captured."""
    held: int = 0
    """How many requests this gateway holds for a model that is not there."""
    health: HealthView | None = None
    """How every host and service is; null claims nothing to be up."""
    components: list[Component]
    bus: BusView
    version: str
    demo: bool = False
    """The Sparks are simulated: the page says so."""


@dataclass(frozen=True)
class Snapshot:
    """A picture and the hubs' marks before it was taken: later entries may not be in it."""

    view: LiveSnapshot
    mark: int
    jobs_mark: int


class Board:
    """One cached picture, refreshed on hints and on a timer, and told about when it changes."""

    def __init__(
        self, bus: Bus, hub: Hub, jobs: Hub, clock: Clock, *, version: str, demo: bool = False
    ) -> None:
        self._bus = bus
        self._hub = hub
        self._jobs = jobs
        self._clock = clock
        self._version = version
        self._demo = demo
        self._menu: Menu | None = None
        self._swaps: Swaps | None = None
        self._downloads: Downloads | None = None
        self._updates: Updates | None = None
        self._lease: LeaseView | None = None
        self._capture: CaptureView | None = None
        self._held = 0
        self._health: HealthView | None = None
        self._mark = self._jobs_mark = 0
        self._pace = Pace(clock, lambda: hub.watched)
        self._neighbours = Neighbours(bus, clock, lambda: hub.watched)
        self._listeners: list[Callable[[LiveSnapshot], None]] = []
        self._accepted: list[Callable[[SwapView], None]] = []
        self._neighbours.on_change(self._tell_components)
        for each in (hub, jobs):
            each.on_entry(self._heard)
            each.on_caught_up(self.poke)

    def on_picture(self, listener: Callable[[LiveSnapshot], None]) -> None:
        """Call ``listener`` after every refresh; it must not block."""
        self._listeners.append(listener)

    def on_accepted(self, listener: Callable[[SwapView], None]) -> None:
        """Call ``listener`` with every swap that a client of this gateway is told was accepted."""
        self._accepted.append(listener)

    def accepted(self, view: SwapView) -> None:
        """The swapper has accepted a swap: here nobody waits for the news of it."""
        for listener in self._accepted:
            listener(view)
        self.poke()

    def bus_view(self) -> BusView:
        """Return the state of the bus as it is now."""
        health = self._bus.health()
        return BusView(connected=health.connected, detail=health.last_error)

    def set_held(self, count: int) -> None:
        """Tell how many requests are held, when that changed."""
        if count != self._held:
            self._held = count
            self._hub.tell("held", str(count))

    def poke(self) -> None:
        """Something changed: look again soon."""
        self._pace.hint()

    async def fresh(self, *, neighbours: bool = False) -> Snapshot:
        """Return a picture that is at most five seconds old and taken after the last hint.

        When nobody answers soon enough it is the last picture there was. ``neighbours`` waits
        for the services too; without, those that came or went lately are told afterwards.
        """
        waits = [self._pace.wait_fresh(_PATIENCE_SECONDS)]
        if neighbours:
            waits.append(self._neighbours.pace.wait_fresh(_PATIENCE_SECONDS))
        await asyncio.gather(*waits)
        return Snapshot(self._view(), self._mark, self._jobs_mark)

    async def run(self) -> None:
        """Keep the picture fresh until cancelled."""
        heard = (subjects.MENU_CHANGED, HealthTransition.type)
        await together(
            [
                partial(self._pace.keep, self._refresh),
                self._neighbours.run,
                *(partial(self._listen, subject) for subject in heard),
                self._watch_bus,
            ]
        )

    def _view(self) -> LiveSnapshot:
        return LiveSnapshot(
            menu=self._menu,
            swaps=self._swaps,
            downloads=self._downloads,
            updates=self._updates,
            lease=self._lease,
            capture=self._capture,
            held=self._held,
            health=self._health,
            components=self._neighbours.components,
            bus=self.bus_view(),
            version=self._version,
            demo=self._demo,
        )

    async def _refresh(self) -> None:
        mark, jobs_mark = self._hub.mark, self._jobs.mark
        asked, health = await asyncio.gather(
            asyncio.gather(
                self._ask(LIST_MODELS, ListModels()),
                self._ask(LIST_SWAPS, ListSwaps()),
                self._ask(LIST_DOWNLOADS, ListDownloads()),
                self._ask(GET_UPDATES, GetUpdates()),
                self._ask(GET_LEASE, GetLease()),
                self._ask(GET_CAPTURE, GetCapture()),
            ),
            self._ask(GET_HEALTH, GetHealth()),
        )
        menu, swaps, downloads, updates, lease, capture = asked
        old_menu, old_swaps, old_downloads = self._menu, self._swaps, self._downloads
        old_updates, self._updates = self._updates, updates
        old_lease, self._lease = self._lease, lease
        old_capture, self._capture = self._capture, capture
        old_health, self._health = self._health, health
        self._menu, self._swaps, self._downloads = menu, swaps, downloads
        self._mark, self._jobs_mark = mark, jobs_mark
        if menu is not None and _content(menu) != _content(old_menu):
            self._hub.tell("menu", menu.model_dump_json())
        if swaps is not None and swaps != old_swaps:
            self._hub.tell("swaps", swaps.model_dump_json())
        if downloads is not None and downloads != old_downloads:
            self._hub.tell("downloads", downloads.model_dump_json())
        if updates is not None and _steady(updates) != _steady(old_updates):
            self._hub.tell("updates", updates.model_dump_json())
        if not _same_lease(lease, old_lease):
            self._hub.tell("lease", lease.model_dump_json() if lease is not None else "null")
        if capture is not None and capture != old_capture:
            self._hub.tell("capture", capture.model_dump_json())
        if _standing(health) != _standing(old_health):
            self._hub.tell("health", health.model_dump_json() if health is not None else "null")
        view = self._view()
        for listener in self._listeners:
            listener(view)

    async def _ask(self, rpc: Rpc[RequestT, ReplyT], request: RequestT) -> ReplyT | None:
        try:
            return await self._bus.call(rpc, request, timeout_seconds=_ASK_SECONDS)
        except SparkError as error:
            _LOG.debug("board.unanswered", subject=rpc.subject, reason=error.code)
            return None

    def _tell_components(self, components: list[Component]) -> None:
        self._hub.tell("components", _COMPONENTS.dump_json(components).decode())

    def _heard(self, entry: Entry) -> None:
        """Refresh on outcomes and changes of phase; percentages and log lines tell themselves."""
        content = entry.content
        moved = content.get("previous_phase") or content.get("previous_step")
        if entry.is_outcome or content.get("n") == 1 or moved is not None:
            self.poke()

    async def _listen(self, subject: str) -> None:
        while True:
            try:
                async for _ in self._bus.listen(subject):
                    self.poke()
            except SparkError as error:
                _LOG.debug("board.deaf", reason=error.code)
            await self._clock.sleep(_LISTEN_AGAIN_SECONDS)

    async def _watch_bus(self) -> None:
        told = self.bus_view()
        while True:
            await self._clock.sleep(_BUS_LOOK_SECONDS)
            now = self.bus_view()
            if now.connected != told.connected:
                self._hub.tell("bus", now.model_dump_json())
                self._neighbours.pace.hint()
                self.poke()
            told = now


def _steady(updates: Updates | None) -> tuple[Updates, str | None, str | None] | None:
    """What is installed and pending, without the progress of a job, which tells itself."""
    if updates is None:
        return None
    job = updates.job
    steady = updates.model_copy(update={"job": None})
    return steady, job.id if job is not None else None, job.state if job is not None else None


def _standing(health: HealthView | None) -> list[object] | None:
    """How everything is, without what time and every look change."""
    if health is None:
        return None
    shown = [
        (
            *(one.name, one.state, one.level, one.because, one.since, one.stale),
            *(one.flapping, one.maintenance, one.facts.get("model")),
            # What is stale says its age there.
            None if one.stale else one.reason,
        )
        for one in health.targets
    ]
    return [*shown, health.disabled, health.maintenance, health.problems]


def _same_lease(new: LeaseView | None, old: LeaseView | None) -> bool:
    """Whether nothing but time passed: who reads it counts down without being told."""
    if new is None or old is None:
        return new is old
    if new.expires_at is not None and old.expires_at is not None:
        moved = abs((new.expires_at - old.expires_at).total_seconds())
        if moved > _LEASE_END_SECONDS:
            return False
    return _timeless(new) == _timeless(old)


def _timeless(lease: LeaseView) -> LeaseView:
    queue = [waiter.model_copy(update={"eta_seconds": None}) for waiter in lease.queue]
    return lease.model_copy(update={"remaining_seconds": None, "expires_at": None, "queue": queue})


def _content(menu: Menu | None) -> Menu | None:
    """The menu without the moment it was written down."""
    if menu is None:
        return None
    return menu.model_copy(update={"as_of": None})
