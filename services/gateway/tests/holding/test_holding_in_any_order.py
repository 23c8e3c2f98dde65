"""Whatever is told, missed, late or left: everybody is answered once, and with what is true."""

import asyncio

from gateway_stand.asker import Asker
from gateway_stand.holding import KEYS, Cluster, FakeBus
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_common.contracts.swaps import Phase
from spark_common.errors import AlreadyLoadedError, SwapInProgressError
from spark_gateway.dataplane.meters import Meters
from spark_gateway.dataplane.ports import Choice

NAMES = ("old", "new", "third", "auto", "Org/new", None)
PHASES = (Phase.PREFLIGHT, Phase.DRAINING, Phase.LOADING, Phase.WARMING, Phase.ROLLING_BACK)
DEEDS = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(NAMES)),
    st.tuples(st.just("leave"), st.integers(0, 30)),
    st.tuples(st.just("begin"), st.sampled_from(KEYS)),
    st.tuples(st.just("step"), st.sampled_from(PHASES)),
    st.tuples(st.just("end"), st.sampled_from(("ready", "rolled_back", "failed", "cancelled"))),
    st.tuples(st.just("end unheard"), st.sampled_from(("ready", "rolled_back", "failed"))),
    st.tuples(st.just("picture"), st.none()),
    st.tuples(st.just("late picture"), st.none()),
    st.tuples(st.just("look"), st.none()),
    st.tuples(st.just("time"), st.sampled_from((1, 20, 130, 541))),
)


class Swapper(FakeBus):
    """Lets one swap run, and nobody through a lease."""

    def __init__(self, cluster):
        super().__init__()
        self.cluster = cluster
        self.wrong = []

    async def call(self, rpc, request, **more):
        if request.model not in KEYS:
            self.wrong.append(request)
        if self.cluster.swap is not None:
            self.answers = [SwapInProgressError("one runs")]
        elif request.model == self.cluster.loaded:
            # Nobody can know of an end that was not heard.
            self.answers = [AlreadyLoadedError("it is loaded")]
        return await super().call(rpc, request, **more)


class Day:
    """What happens to a cluster, one deed after the other."""

    def __init__(self, **values):
        self.cluster = Cluster(None, Meters())
        self.cluster.change(**values)
        self.requests = []
        self.left = set()
        self.seen = set()
        self.swaps = 0
        self.kept = (None, [])

    def do(self, deed, what):
        cluster = self.cluster
        if deed == "ask":
            self.requests.append(Asker(cluster, what))
        elif deed == "leave" and self.requests:
            request = self.requests[what % len(self.requests)]
            if request.answer is None:
                request.stay.leave()
                self.left.add(id(request))
        elif deed == "begin" and cluster.swap is None:
            self.kept = (cluster.swap, list(cluster.recent))
            self.swaps += 1
            cluster.begin(what, swap_id=f"s{self.swaps}")
        elif deed == "step" and cluster.swap is not None:
            cluster.step(what)
        elif deed.startswith("end") and cluster.swap is not None:
            self.kept = (cluster.swap, list(cluster.recent))
            serving = self.previous() if what in ("rolled_back", "cancelled") else None
            cluster.end(what, serving, told=deed == "end")
        elif deed == "picture":
            cluster.picture()
        elif deed == "late picture":
            now = (cluster.swap, cluster.recent)
            cluster.swap, cluster.recent = self.kept
            cluster.picture()
            cluster.swap, cluster.recent = now
        elif deed == "look":
            cluster.seen("idle" if cluster.swap else None)
        elif deed == "time":
            cluster.pass_time(what)
        self.check()

    def previous(self):
        return self.cluster.swap.previous

    def check(self):
        room = self.cluster.holding.room
        waiting = [
            each for each in self.requests if each.answer is None and id(each) not in self.left
        ]
        assert len(room) == len(waiting)
        assert room.bytes == 9 * len(waiting)
        for request in self.requests:
            assert request.answers <= 1
            if id(request) in self.left:
                assert request.answers == 0


@settings(max_examples=200, deadline=None)
@given(st.lists(DEEDS, max_size=30))
def test_everybody_is_answered_once(deeds):
    day = Day()
    for deed in deeds:
        day.do(*deed)
    if day.cluster.swap is not None:
        wanted = day.cluster.swap.model
        held = [each for each in day.requests if each.answer is None and id(each) not in day.left]
        day.do("end", "ready")
        for request in held:
            # Those who waited for it, or for anything, go to it and nowhere else.
            if request.model in (wanted, f"Org/{wanted}", "auto", None):
                assert isinstance(request.answer, Choice)
                assert request.answer.rename in (f"{wanted}-served", None)
    day.do("time", 541)
    assert not len(day.cluster.holding.room)
    for request in day.requests:
        assert (request.answers == 1) != (id(request) in day.left)


@settings(max_examples=150, deadline=None)
@given(st.lists(DEEDS, max_size=30))
def test_so_is_everybody_while_requests_bring_models(deeds):
    asyncio.run(on_demand(deeds))


async def on_demand(deeds):
    day = Day(swap_on_demand=True)
    bus = Swapper(day.cluster)
    day.cluster.bus.call = bus.call
    for deed in (*deeds, ("time", 541)):
        day.do(*deed)
        for _ in range(5):
            await asyncio.sleep(0)
        day.check()
        accepted = [each for each in bus.asked if each.id not in day.seen]
        if accepted and day.cluster.swap is None:
            # What the swapper accepted begins, sooner or later.
            day.seen.add(accepted[-1].id)
            day.cluster.begin(accepted[-1].model, swap_id=accepted[-1].id)
    day.do("time", 541)
    assert bus.wrong == []
    assert not len(day.cluster.holding.room)
    for request in day.requests:
        assert (request.answers == 1) != (id(request) in day.left)
