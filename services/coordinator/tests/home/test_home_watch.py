"""The home model comes back on a bus in memory: once, by one of two, and politely."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from spark_common.bus import Serving
from spark_common.contracts.home import GetHome
from spark_common.contracts.leases import GET_LEASE, LeaseView
from spark_common.contracts.models import LIST_MODELS, Menu, ModelView, RuntimeView
from spark_common.contracts.schedules import GET_CALENDAR, Calendar, CalendarEntry
from spark_common.contracts.swaps import LIST_SWAPS, REQUEST_SWAP, Phase, Swaps, SwapView
from spark_common.contracts.traffic import GET_TRAFFIC, Traffic
from spark_common.errors import ModelNotReadyError, ServiceUnavailableError
from spark_common.events import LockFreed
from spark_common.settings.policies import HomeSettings
from spark_common.subjects import lock_event
from spark_common.tasks import end
from spark_common.testing import MemoryBus
from spark_coordinator.home.scenery import Calendar as BusCalendar
from spark_coordinator.home.scenery import Scenery
from spark_coordinator.home.watch import HomeWatch


class House:
    """A cluster that loads what it is asked for, at once."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.lease = LeaseView(state="free", epoch=1)
        self.loaded = "other"
        self.traffic = Traffic(in_flight=0, taken_on=0)
        self.swaps: dict[str, SwapView] = {}
        self.refusal = None
        self.fails = False
        self.asked = []
        self.due = None
        self.silent = set()

    def verbs(self):
        return {
            "coordinator": [(GET_LEASE, self.get_lease), (GET_CALENDAR, self.calendar)],
            "swapper": [
                (LIST_SWAPS, self.list_swaps),
                (LIST_MODELS, self.menu),
                (REQUEST_SWAP, self.swap),
            ],
            "gateway": [(GET_TRAFFIC, self.get_traffic)],
        }

    async def get_lease(self, request):
        self._here("lease")
        return self.lease

    async def get_traffic(self, request):
        self._here("traffic")
        return self.traffic

    async def calendar(self, request):
        self._here("calendar")
        entries = []
        if self.due is not None:
            at = self.clock.now() + timedelta(seconds=self.due[1])
            entries = [
                CalendarEntry(
                    schedule_id="s", name="s", kind=self.due[0], at=at, until=at, owner="Bob"
                )
            ]
        return Calendar(start=request.start, end=request.end, entries=entries)

    async def list_swaps(self, request):
        return Swaps(recent=list(self.swaps.values())[::-1])

    async def menu(self, request):
        models = [
            ModelView(
                key=key,
                name=key,
                repo=f"org/{key}",
                served_name=key,
                state="ready",
                loaded=key == self.loaded,
                load_seconds=120,
            )
            for key in ("home", "other")
        ]
        return Menu(
            models=models,
            recipes=[],
            hosts=[],
            runtime=RuntimeView(state="serving"),
            as_of=self.clock.now(),
        )

    async def swap(self, request):
        self.asked.append(request)
        if self.refusal is not None:
            raise self.refusal
        if request.id not in self.swaps:
            self.swaps[request.id] = self._view(request)
            self.loaded = self.loaded if self.fails else request.model
        return self.swaps[request.id]

    def _view(self, request):
        return SwapView(
            id=request.id,
            model=request.model,
            model_name=request.model,
            requested_by=request.requested_by,
            phase=Phase.FAILED if self.fails else Phase.READY,
            created_at=self.clock.now(),
            finished_at=self.clock.now(),
        )

    def _here(self, what):
        if what in self.silent:
            raise ServiceUnavailableError(f"{what} does not answer")


class Claim:
    def __init__(self, leads=True) -> None:
        self.leads = leads


@pytest.fixture
async def house(broker, clock) -> House:
    found = House(clock)
    for service, verbs in found.verbs().items():
        serving = [Serving(rpc, handler) for rpc, handler in verbs]
        await MemoryBus(service, broker).serve(service, "1", "a fake", serving)
    return found


@pytest.fixture
def settings():
    return HomeSettings(home_model="home", home_idle_minutes=5)


@pytest.fixture
def a_watch(bus, clock, settings):
    def make(claim=None, of=None):
        scenery = Scenery(bus, BusCalendar(bus, clock), clock)
        return HomeWatch(bus, scenery, of or (lambda: settings), claim or Claim(), clock)

    return make


async def freed(bus, clock, holder="Alice"):
    event = LockFreed(epoch=1, holder=holder, at=clock.now(), ended="released")
    await bus.publish_durable(lock_event("freed"), event, id=f"freed-{holder}-{clock.monotonic()}")


async def minutes(clock, count, *watches):
    for _ in range(count * 4):
        for watch in watches:
            await watch.look()
        await clock.advance(15)


async def test_after_a_lease_and_idle_minutes_it_comes_back_once(house, a_watch, bus, clock):
    one, two = a_watch(), a_watch(Claim(leads=False))
    await minutes(clock, 20, one, two)
    assert house.asked == [], "no lease ended yet"
    await freed(bus, clock)
    await minutes(clock, 1, one, two)
    assert [request.model for request in house.asked] == ["home"]
    assert house.loaded == "home"
    await minutes(clock, 60, one, two)
    assert len(house.asked) == 1
    (order,) = house.asked
    assert (order.requested_by, order.when_busy, order.override_lease) == (
        "home model",
        "reject",
        False,
    )
    assert (await one.get(GetHome())).state == "loaded"


async def test_a_restart_of_something_stuck_brings_nothing_back(house, a_watch, bus, clock):
    watch = a_watch()
    await freed(bus, clock, "health")
    await minutes(clock, 20, watch)
    assert house.asked == [], "nobody worked with the cluster"
    await freed(bus, clock)
    await freed(bus, clock, "health")
    await minutes(clock, 1, watch)
    assert [request.model for request in house.asked] == ["home"]


async def test_two_that_both_believe_to_lead_make_one_swap(house, a_watch, bus, clock):
    one, two = a_watch(), a_watch()
    await freed(bus, clock)
    await minutes(clock, 5, one, two)
    for watch in (one, two):
        await watch.look()
    assert len(house.swaps) == 1


@pytest.mark.parametrize("what", ["a request in flight", "a request in between", "silence"])
async def test_any_request_begins_the_wait_anew(house, a_watch, bus, clock, what):
    watch = a_watch()
    await freed(bus, clock)
    await minutes(clock, 4, watch)
    before = house.traffic
    if what == "a request in flight":
        house.traffic = Traffic(in_flight=1, taken_on=1)
    elif what == "a request in between":
        house.traffic = Traffic(in_flight=0, taken_on=1)
    else:
        house.silent.add("traffic")
    await watch.look()
    house.silent.clear()
    house.traffic = before if what == "silence" else Traffic(in_flight=0, taken_on=1)
    await clock.advance(15)
    await minutes(clock, 4, watch)
    assert house.asked == []
    await minutes(clock, 2, watch)
    assert len(house.asked) == 1


async def test_a_coordinator_that_was_away_does_not_know_that_it_was_idle(
    house, a_watch, bus, clock
):
    watch = a_watch()
    await freed(bus, clock)
    await minutes(clock, 1, watch)
    await clock.advance(3600)
    await minutes(clock, 4, watch)
    assert house.asked == []


@pytest.mark.parametrize(
    ("due", "asked"), [(None, 1), (("outside", 60), 0), (("outside", 7200), 1), (("sweep", 60), 1)]
)
async def test_a_schedule_that_comes_soon_goes_first(house, a_watch, bus, clock, due, asked):
    house.due = due
    watch = a_watch()
    await freed(bus, clock)
    await minutes(clock, 6, watch)
    assert len(house.asked) == asked


async def test_without_schedules_it_comes_back_all_the_same(house, a_watch, bus, clock):
    house.silent.add("calendar")
    watch = a_watch()
    await freed(bus, clock)
    await minutes(clock, 6, watch)
    assert len(house.asked) == 1


async def test_a_no_is_not_hammered_and_says_why(house, a_watch, bus, clock):
    house.refusal = ModelNotReadyError("It is not whole on Spark 2; download it again.")
    watch = a_watch()
    await freed(bus, clock)
    await minutes(clock, 5 + 9, watch)
    assert len(house.asked) == 1
    view = await watch.get(GetHome())
    assert (view.state, view.sentence) == ("backing_off", house.refusal.message)
    asked_at = []
    for minute in range(14, 17 * 60):
        before = len(house.asked)
        await watch.look()
        asked_at += [minute] * (len(house.asked) - before)
        await clock.advance(60)
    # Every wait twice as long, six hours at most.
    waits = [after - before for before, after in pairwise([5, *asked_at])]
    assert waits == pytest.approx([10, 20, 40, 80, 160, 320, 360], abs=1)
    house.refusal = None
    await clock.advance(6 * 3600)
    await minutes(clock, 6, watch)
    assert house.loaded == "home"


async def test_a_failure_is_not_hammered(house, a_watch, bus, clock):
    house.fails = True
    watch = a_watch()
    await freed(bus, clock)
    await minutes(clock, 5 + 35, watch)
    assert len(house.swaps) == 3


async def test_off_asks_nobody_anything_and_on_again_begins_anew(house, a_watch, bus, clock):
    chosen = [HomeSettings()]
    watch = a_watch(of=lambda: chosen[0])
    await freed(bus, clock)
    await minutes(clock, 10, watch)
    assert (await watch.get(GetHome())).state == "off"
    chosen[0] = HomeSettings(home_model="home", home_idle_minutes=5)
    assert (await watch.get(GetHome())).state == "waiting"
    await minutes(clock, 4, watch)
    assert house.asked == []
    await minutes(clock, 2, watch)
    assert len(house.asked) == 1


async def test_whoever_does_not_lead_asks_for_nothing_and_still_knows(house, a_watch, bus, clock):
    watch = a_watch(Claim(leads=False))
    await freed(bus, clock)
    await minutes(clock, 10, watch)
    assert house.asked == []
    assert (await watch.get(GetHome())).state == "asking"


async def test_the_loop_sees_a_new_setting_soon_and_a_short_idle_time_in_time(
    house, a_watch, bus, clock
):
    chosen = [HomeSettings()]
    watch = a_watch(of=lambda: chosen[0])
    running = asyncio.create_task(watch.run())
    await freed(bus, clock)
    await clock.advance(60)
    assert house.asked == []
    chosen[0] = HomeSettings(home_model="home", home_idle_minutes=0.1)
    await clock.advance(2 + 6 + 2)
    assert [request.model for request in house.asked] == ["home"]
    await end([running])
