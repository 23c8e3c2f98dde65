"""What a dashboard needs to see at once: asked for once, for all who look."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import structlog
from pydantic import TypeAdapter

from spark_common import subjects
from spark_common.bus import Bus
from spark_common.clock import Clock
from spark_common.contracts.models import LIST_MODELS, ListModels, Menu
from spark_common.contracts.rpc import Reply, ReplyT, RequestT, Rpc
from spark_common.contracts.swaps import LIST_SWAPS, ListSwaps, Swaps
from spark_common.errors import SparkError
from spark_gateway.streams.entry import Entry
from spark_gateway.streams.hub import Hub

WATCHED_SECONDS = 5.0
UNWATCHED_SECONDS = 30.0
_ASK_SECONDS = 2.0
_PATIENCE_SECONDS = 1.5
_BUS_LOOK_SECONDS = 0.25
_SERVICES = ("audio-proxy", "coordinator", "gateway", "health", "redaction", "swapper")
_LOG = structlog.get_logger()


class Component(Reply):
    """One service and whether it answers on the bus; nobody knows while the bus is away."""

    name: str
    state: Literal["up", "down", "unknown"]


class BusView(Reply):
    """Whether the event bus works, and what was wrong last."""

    connected: bool
    detail: str | None = None


class LiveSnapshot(Reply):
    """The dashboard's whole picture. ``menu`` and ``swaps`` are null when nobody answers."""

    menu: Menu | None
    swaps: Swaps | None
    components: list[Component]
    bus: BusView
    version: str
    demo: bool = False
    """The Sparks are simulated: the page says so."""


_COMPONENTS = TypeAdapter(list[Component])


@dataclass(frozen=True)
class Snapshot:
    """A picture and the hub's mark before it was taken: later entries may not be in it."""

    view: LiveSnapshot
    mark: int


class Board:
    """One cached picture, refreshed on hints and on a timer, and told about when it changes."""

    def __init__(
        self, bus: Bus, hub: Hub, clock: Clock, *, version: str, demo: bool = False
    ) -> None:
        self._bus = bus
        self._hub = hub
        self._clock = clock
        self._wake = asyncio.Event()
        self._refreshed = asyncio.Event()
        self._taken_at: float | None = None
        self._answered: set[str] = set()
        self._listeners: list[Callable[[LiveSnapshot], None]] = []
        self._snapshot = Snapshot(
            LiveSnapshot(
                menu=None,
                swaps=None,
                components=_nobody_knows(),
                bus=self.bus_view(),
                version=version,
                demo=demo,
            ),
            mark=0,
        )
        hub.on_entry(self._heard)

    def on_picture(self, listener: Callable[[LiveSnapshot], None]) -> None:
        """Call ``listener`` after every refresh; it must not block."""
        self._listeners.append(listener)

    def bus_view(self) -> BusView:
        """Return the state of the bus as it is now."""
        health = self._bus.health()
        return BusView(connected=health.connected, detail=health.last_error)

    def poke(self) -> None:
        """Something changed: look again soon."""
        self._wake.set()

    async def fresh(self) -> Snapshot:
        """Return a picture that is at most five seconds old, or the last one when it takes long."""
        age = None if self._taken_at is None else self._clock.monotonic() - self._taken_at
        if age is None or age > WATCHED_SECONDS:
            self.poke()
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await self._refreshed.wait()
            except TimeoutError:
                _LOG.debug("board.stale", age_seconds=age)
        view = self._snapshot.view.model_copy(update={"bus": self.bus_view()})
        return Snapshot(view, self._snapshot.mark)

    async def run(self) -> None:
        """Keep the picture fresh until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_fresh())
            tasks.create_task(self._listen())
            tasks.create_task(self._watch_bus())

    async def _keep_fresh(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._refresh()
            except Exception:
                # Chat must not end because a picture cannot be taken.
                _LOG.exception("board.refresh_broke")
            self._refreshed.set()
            self._refreshed.clear()
            began = self._clock.monotonic()
            while not await self._poked(WATCHED_SECONDS):
                if self._hub.watched or self._clock.monotonic() - began >= UNWATCHED_SECONDS:
                    break

    async def _poked(self, within_seconds: float) -> bool:
        nap = asyncio.ensure_future(self._clock.sleep(within_seconds))
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({nap, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            nap.cancel()
            woken.cancel()
        return self._wake.is_set()

    async def _refresh(self) -> None:
        mark = self._hub.mark
        before = self._snapshot.view
        menu, swaps, names = await asyncio.gather(
            self._ask(LIST_MODELS, ListModels()),
            self._ask(LIST_SWAPS, ListSwaps()),
            self._discover(),
        )
        view = before.model_copy(
            update={
                "menu": menu,
                "swaps": swaps,
                "components": self._components(names),
                "bus": self.bus_view(),
            }
        )
        self._snapshot = Snapshot(view, mark)
        self._taken_at = self._clock.monotonic()
        self._tell_changes(before, view)
        for listener in self._listeners:
            listener(view)

    async def _ask(self, rpc: Rpc[RequestT, ReplyT], request: RequestT) -> ReplyT | None:
        try:
            return await self._bus.call(rpc, request, timeout_seconds=_ASK_SECONDS)
        except SparkError as error:
            _LOG.debug("board.unanswered", subject=rpc.subject, reason=error.code)
            return None

    async def _discover(self) -> list[str] | None:
        try:
            return await self._bus.discover()
        except SparkError:
            return None

    def _components(self, names: list[str] | None) -> list[Component]:
        if names is None or not self._bus.health().connected:
            return _nobody_knows()
        answered = set(names) | {"gateway"}
        # Discovery has half a second; a busy service may miss one call, not two.
        up = answered | self._answered
        self._answered = answered
        return [
            Component(name=name, state="up" if name in up else "down")
            for name in sorted(up | set(_SERVICES))
        ]

    def _tell_changes(self, before: LiveSnapshot, now: LiveSnapshot) -> None:
        if now.menu is not None and _content(now.menu) != _content(before.menu):
            self._hub.tell("menu", now.menu.model_dump_json())
        if now.swaps is not None and now.swaps != before.swaps:
            self._hub.tell("swaps", now.swaps.model_dump_json())
        if now.components != before.components:
            self._hub.tell("components", _COMPONENTS.dump_json(now.components).decode())

    def _heard(self, entry: Entry) -> None:
        """Refresh on outcomes and changes of phase; percentages and log lines tell themselves."""
        begins = entry.content.get("n") == 1
        if entry.is_outcome or begins or entry.content.get("previous_phase") is not None:
            self.poke()

    async def _listen(self) -> None:
        while True:
            try:
                async for _ in self._bus.listen(subjects.MENU_CHANGED):
                    self.poke()
            except SparkError as error:
                _LOG.debug("board.deaf", reason=error.code)
            await self._clock.sleep(1.0)

    async def _watch_bus(self) -> None:
        told = self.bus_view()
        while True:
            await self._clock.sleep(_BUS_LOOK_SECONDS)
            now = self.bus_view()
            if now.connected != told.connected:
                self._hub.tell("bus", now.model_dump_json())
                self.poke()
            told = now


def _nobody_knows() -> list[Component]:
    """While the bus is away only one thing is certain: whoever asks was answered by us."""
    return [
        Component(name=name, state="up" if name == "gateway" else "unknown") for name in _SERVICES
    ]


def _content(menu: Menu | None) -> Menu | None:
    """The menu without the moment it was written down."""
    if menu is None:
        return None
    return menu.model_copy(update={"as_of": None})
