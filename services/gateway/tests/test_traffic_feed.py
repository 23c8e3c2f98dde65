"""What the data plane believes, from events and pictures that may come in the wrong order."""

import json
from datetime import UTC, datetime

import pytest

from spark_common.bus import StoredMessage
from spark_common.contracts.models import Menu, RuntimeView
from spark_common.contracts.swaps import Phase, Swaps, SwapView
from spark_common.envelope import Envelope
from spark_gateway.streams.board import BusView, LiveSnapshot
from spark_gateway.streams.entry import OUTCOMES, PROGRESS, Entry, entry_of
from spark_gateway.traffic_feed import TrafficFeed

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class FakeTraffic:
    """Remembers what it was told, as the router does."""

    def __init__(self) -> None:
        self.runtime = None
        self.swap = None
        self.looks = 0

    def set_runtime(self, runtime):
        self.runtime = runtime

    def set_swap(self, swap):
        self.swap = swap

    def poke(self):
        self.looks += 1


@pytest.fixture
def traffic():
    return FakeTraffic()


@pytest.fixture
def feed(traffic):
    return TrafficFeed(traffic, traffic)


def event(stream: str, subject: str, **content) -> Entry:
    body = {key: value for key, value in content.items() if value is not None}
    envelope = Envelope(id="e", source="swapper", type="spark.x.v1", time=NOW, data=body)
    message = StoredMessage(stream, "1", 1, subject, json.dumps(body).encode(), envelope, {})
    entry = entry_of(message)
    assert entry is not None
    return entry


def step(swap_id: str, phase: Phase, previous: Phase | None = None, n: int = 1) -> Entry:
    return event(
        PROGRESS,
        f"swap.progress.{swap_id}",
        swap_id=swap_id,
        n=n,
        model="m",
        phase=phase.value,
        previous_phase=previous.value if previous else None,
        at=NOW.isoformat(),
    )


def outcome(swap_id: str) -> Entry:
    return event(OUTCOMES, f"swap.complete.{swap_id}", swap_id=swap_id)


def picture(
    current: str | None, phase: Phase = Phase.LOADING, *, n: int = 0, **more
) -> LiveSnapshot:
    view = (
        SwapView(
            id=current,
            model="m",
            model_name="M",
            requested_by="Bob",
            phase=phase,
            created_at=NOW,
            n=n,
        )
        if current
        else None
    )
    menu = Menu(models=[], recipes=[], hosts=[], runtime=RuntimeView(state="idle"), as_of=NOW)
    fields = {"menu": menu, "swaps": Swaps(current=view), **more}
    return LiveSnapshot(components=[], bus=BusView(connected=True), version="1", **fields)


def test_progress_and_outcome_open_and_close_a_swap(feed, traffic):
    feed.on_entry(step("a", Phase.LOADING, Phase.LAUNCHING))
    assert traffic.swap.swap_id == "a"
    assert traffic.looks == 1
    feed.on_entry(outcome("a"))
    assert traffic.swap is None
    assert traffic.looks == 2


def test_a_picture_taken_before_the_end_does_not_bring_a_swap_back(feed, traffic):
    feed.on_entry(step("a", Phase.WARMING))
    feed.on_entry(outcome("a"))
    feed.on_picture(picture("a", Phase.WARMING))
    assert traffic.swap is None
    feed.on_entry(step("a", Phase.WARMING, n=9))
    assert traffic.swap is None


def test_a_picture_taken_before_the_beginning_does_not_end_a_swap(feed, traffic):
    feed.on_picture(picture(None))
    feed.on_entry(step("a", Phase.DRAINING))
    feed.on_picture(picture(None))
    assert traffic.swap.swap_id == "a"
    feed.on_picture(picture(None))
    assert traffic.swap is None


def test_a_picture_taken_before_a_step_does_not_take_it_back(feed, traffic):
    feed.on_picture(picture("s1", Phase.QUEUED, n=0))
    feed.on_entry(step("s1", Phase.LOADING, Phase.LAUNCHING, n=4))
    feed.on_picture(picture("s1", Phase.QUEUED, n=3))
    assert traffic.swap.phase is Phase.LOADING
    feed.on_picture(picture("s1", Phase.WARMING, n=5))
    assert traffic.swap.phase is Phase.WARMING
    # Another swap counts anew.
    feed.on_picture(picture("s2", Phase.PREFLIGHT, n=1))
    assert traffic.swap.id == "s2"


def test_a_picture_that_has_it_among_those_that_ended_ends_a_swap(feed, traffic):
    feed.on_entry(step("a", Phase.WARMING))
    ended = picture("a", Phase.READY).swaps.current
    feed.on_picture(picture(None, swaps=Swaps(recent=[ended])))
    assert traffic.swap is None


def test_a_waiting_swap_does_not_hide_the_running_one(feed, traffic):
    feed.on_entry(step("a", Phase.LOADING))
    feed.on_entry(step("b", Phase.QUEUED))
    assert traffic.swap.swap_id == "a"
    feed.on_entry(outcome("b"))
    assert traffic.swap.swap_id == "a"


def test_a_picture_without_answers_changes_nothing(feed, traffic):
    feed.on_picture(picture("a"))
    assert traffic.swap.id == "a"
    assert traffic.runtime.state == "idle"
    feed.on_picture(picture(None, menu=None, swaps=None))
    assert traffic.swap.id == "a"
    assert traffic.runtime.state == "idle"
    feed.on_picture(picture(None))
    assert traffic.swap is None


def test_an_event_nobody_can_read_is_left_alone(feed, traffic):
    feed.on_entry(event(PROGRESS, "swap.progress.a", swap_id="a", phase="a new phase"))
    assert traffic.swap is None
