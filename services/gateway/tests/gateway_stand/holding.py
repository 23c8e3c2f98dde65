"""A cluster in which swaps happen as the test says, before a data plane that lets requests wait."""

import json
from datetime import UTC, datetime

from spark_common.bus import StoredMessage
from spark_common.contracts.leases import LeaseView
from spark_common.contracts.models import Menu, ModelView, RuntimeView
from spark_common.contracts.swaps import REQUEST_SWAP, Cause, Phase, Swaps, SwapView
from spark_common.envelope import Envelope
from spark_common.errors import UnavailableError
from spark_common.events import SwapComplete, SwapFailed, SwapProgress
from spark_common.settings.policies import HoldSettings, QueueSettings
from spark_common.testing import FakeClock
from spark_gateway.catalogue import Catalogue
from spark_gateway.dataplane.choosing import ModelChooser
from spark_gateway.dataplane.desk import FrontDesk
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.dataplane.reservation import Reservation
from spark_gateway.dataplane.router import SwapAwareRouter
from spark_gateway.dataplane.upstreams import Upstreams
from spark_gateway.dataplane.watch import Served
from spark_gateway.holding.building import build_holding
from spark_gateway.loaded_names import LoadedNames
from spark_gateway.preflight import PreflightRouter
from spark_gateway.queueing.caps import Caps
from spark_gateway.queueing.turnstile import FairTurnstile
from spark_gateway.served import ServedModel
from spark_gateway.streams.board import BusView, LiveSnapshot
from spark_gateway.streams.entry import OUTCOMES, PROGRESS, entry_of
from spark_gateway.traffic_feed import TrafficFeed

KEYS = ("old", "new", "third")
CHAT = b"/v1/chat/completions"
JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
EVENT = b'data: {"said":1}\n\ndata: [DONE]\n\n'
EVENTS = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    b"%x\r\n%b\r\n0\r\n\r\n" % (len(EVENT), EVENT)
)


class MovingClock(FakeClock):
    """Never says the same twice: what came later is later."""

    def skip(self, seconds):
        """Let time pass while nobody sleeps."""
        assert not self.sleepers
        self._elapsed += seconds

    def monotonic(self):
        self._elapsed += 1e-6
        return self._elapsed


class FakeBus:
    """Asks a swapper that the test plays."""

    def __init__(self):
        self.asked = []
        self.connected = True
        self.answers = []
        """What is answered next: an error, or None for a swap that is accepted."""
        self.gate = None

    def health(self):
        return BusView(connected=self.connected)

    async def call(self, rpc, request, *, timeout_seconds=5.0, correlation_id=None):
        assert rpc is REQUEST_SWAP
        if not self.connected:
            raise UnavailableError("the event bus does not answer")
        self.asked.append(request)
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        return SwapView(
            id=request.id,
            model=request.model,
            model_name=request.model,
            requested_by=request.requested_by,
            phase=Phase.QUEUED,
            created_at=datetime.now(UTC),
        )


class Listening:
    """A hub and a board, as far as somebody listens there."""

    def __init__(self):
        self.entries = []
        self.pictures = []
        self.pokes = 0
        self.held = []
        self.accepted = []

    def on_accepted(self, listener):
        self.accepted.append(listener)

    def on_entry(self, listener):
        self.entries.append(listener)

    def on_picture(self, listener):
        self.pictures.append(listener)

    def poke(self):
        self.pokes += 1

    def set_held(self, count):
        self.held.append(count)


class Look:
    """What was seen of the model server."""

    def __init__(self):
        self.served = Served()
        self.looked_at = -1.0
        self.listeners = []

    def on_look(self, listener):
        self.listeners.append(listener)

    def models(self):
        return self.served.models

    def poke(self): ...


def a_model(key, loaded):
    return ModelView(
        key=key,
        name=key.title(),
        repo=f"Org/{key}",
        served_name=f"{key}-served",
        state="ready",
        loaded=loaded,
    )


class Cluster:
    """Plays everybody whom the data plane hears, on a clock that the test moves."""

    def __init__(self, plane, meters, loaded="old"):
        self.clock = MovingClock()
        self.plane = plane
        self.settings = HoldSettings()
        self.queue = QueueSettings()
        self.bus = FakeBus()
        self.lease = None
        self.aliases = ("quick=Org/new", "gpt-4o=auto")
        self.swap = None
        self.recent = []
        self.queued = []
        self.loaded = loaded
        self.look = Look()
        self.beside = Served()
        self.news = Listening()
        upstream = Upstream("127.0.0.1", plane.upstream.port) if plane else Upstream("127.0.0.1", 1)
        self.router = SwapAwareRouter(lambda: upstream, self.clock)
        self.names = LoadedNames(self.look.models)
        self.catalogue = Catalogue(
            lambda: self.look.served,
            lambda: self.beside,
            lambda: self.aliases,
            lambda: True,
            lambda: ("parakeet", "kokoro"),
            7,
        )
        caps = Caps(lambda: self.queue)
        self.turnstile = FairTurnstile(
            caps.of, caps.bounds, self.clock.monotonic, capped=caps.any, later=lambda *_: None
        )
        feed = TrafficFeed(self.router, self.look)
        for each in (feed, self.names):
            self.news.on_entry(each.on_entry)
            self.news.on_picture(each.on_picture)
        self.news.on_picture(self.catalogue.on_picture)
        self.holding = build_holding(
            self.bus,
            self.news,
            self.news,
            self.router,
            self.look,
            self.catalogue,
            self.names,
            meters,
            self.turnstile.waiting,
            lambda: self.settings,
            self.clock,
        )
        place = lambda: upstream  # noqa: E731
        self.chooser = ModelChooser(
            PreflightRouter(self.router),
            Upstreams(place, place, place, place),
            self.catalogue,
            Reservation(lambda: None, self.names, self.clock),
            self.names,
            waits=self.holding.may_wait,
        )
        self.desk = FrontDesk(
            self.chooser,
            away=self.holding,
            turnstile=self.turnstile,
            monotonic=self.clock.monotonic,
        )
        if plane:
            plane.desk = self.desk
            plane.upstream.script = self.answer
        self.seen()
        self.picture()

    async def answer(self, peer):
        """Play the model server: an event stream for whoever asks for one."""
        upstream = self.plane.upstream
        while (message := await peer.message())[0]:
            upstream.heads.append(message[0])
            upstream.bodies.append(message[1])
            await peer.send(EVENTS if b'"stream":true' in message[1] else JSON)

    def change(self, **values):
        """The owner changes settings of holding."""
        self.settings = self.settings.model_copy(update=values)

    # What is told.

    def begin(self, model="new", phase=Phase.LOADING, swap_id="s1", **more):
        """A swap runs; its event comes first, then a picture."""
        self.swap = SwapView(
            id=swap_id,
            model=model,
            model_name=model,
            previous=self.loaded,
            requested_by="Bob",
            phase=phase,
            created_at=self.clock.now(),
            **more,
        )
        self.step()
        if phase not in (Phase.PREFLIGHT, Phase.DRAINING):
            self.seen("idle")
        self.picture()

    def step(self, phase=None):
        """Tell the phase of the swap."""
        if phase is not None:
            self.swap = self.swap.model_copy(update={"phase": phase})
        progress = SwapProgress(
            swap_id=self.swap.id, n=1, model=self.swap.model, phase=self.swap.phase,
            previous_phase=Phase.QUEUED, eta_seconds=self.swap.eta_seconds, at=self.clock.now(),
        )  # fmt: skip
        self._tell(PROGRESS, f"swap.progress.{self.swap.id}", progress)

    def end(self, how="ready", serving=None, *, told=True, code="oom"):
        """The swap is over, and what it left is seen; ``told``: the event comes, too."""
        swap, self.swap = self.swap, None
        self.loaded = swap.model if how == "ready" else serving
        phase = Phase(how)
        common = {
            "swap_id": swap.id, "model": swap.model, "requested_by": "Bob", "total_seconds": 1,
            "finished_at": self.clock.now(),
        }  # fmt: skip
        cause = Cause(code=code, sentence="The Spark has too little memory.", action="none")
        if how == "ready":
            outcome = SwapComplete(served_name=f"{swap.model}-served", **common)
        else:
            outcome = SwapFailed(
                outcome=how, cause=cause, failed_in=swap.phase, serving=serving, **common
            )
        update = {
            "phase": phase, "finished_at": self.clock.now(), "serving": self.loaded,
            "cause": None if how == "ready" else cause,
        }  # fmt: skip
        self.recent.insert(0, swap.model_copy(update=update))
        if told:
            kind = "complete" if how == "ready" else "failed"
            self._tell(OUTCOMES, f"swap.{kind}.{swap.id}", outcome)
        self.seen()
        self.picture()
        self.seen()

    def seen(self, state=None):
        """The model server is looked at."""
        state = state or ("serving" if self.loaded else "idle")
        models = ()
        if state == "serving":
            name = self.loaded
            models = (ServedModel(f"{name}-served", 1, root=f"Org/{name}"),)
        self.look.served = Served(state, models, listed_at=self.clock.monotonic())
        self.look.looked_at = self.clock.monotonic()
        self.router.set_serving(state == "serving")
        for listener in self.look.listeners:
            listener()

    def picture(self, **more):
        """The board looks around."""
        serving = self.loaded and not self.swap
        runtime = RuntimeView(
            state="serving" if serving else "starting" if self.swap else "idle",
            model=self.loaded if serving else None,
            served_name=f"{self.loaded}-served" if serving else None,
        )
        menu = Menu(
            models=[a_model(key, key == self.loaded and bool(serving)) for key in KEYS],
            recipes=[], hosts=[], runtime=runtime, as_of=self.clock.now(),
        )  # fmt: skip
        fields = {
            "menu": menu,
            "swaps": Swaps(current=self.swap, recent=self.recent, queue=self.queued),
            "lease": self.lease,
            **more,
        }
        view = LiveSnapshot(components=[], bus=BusView(connected=True), version="1", **fields)
        for listener in self.news.pictures:
            listener(view)

    def hold_lease(self, seconds=900.0):
        """Somebody reserves the cluster."""
        self.lease = LeaseView(
            state="held", holder="Alice", reason="a secret", epoch=1, remaining_seconds=seconds
        )
        self.picture()

    def pass_time(self, seconds):
        """Let time pass; then somebody looks at it."""
        self.clock.skip(seconds)
        self.holding.look()

    def _tell(self, stream, subject, event):
        body = event.model_dump(mode="json")
        now = self.clock.now()
        envelope = Envelope(id="e", source="swapper", type="spark.x.v1", time=now, data=body)
        stored = StoredMessage(stream, "1", 1, subject, json.dumps(body).encode(), envelope, {})
        for listener in self.news.entries:
            listener(entry_of(stored))


def post(model="new", path=CHAT, more=b"", *, stream=False, text=""):
    """A request that names a model; None names none."""
    body = {"messages": [{"content": text}]} | ({} if model is None else {"model": model})
    raw = json.dumps(body | ({"stream": True} if stream else {}), separators=(",", ":")).encode()
    head = b"POST %b HTTP/1.1\r\nHost: g\r\n%bContent-Length: %d\r\n\r\n"
    return head % (path, more, len(raw)) + raw
