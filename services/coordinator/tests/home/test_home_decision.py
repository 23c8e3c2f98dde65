"""When the home model comes back, as a table of scenes."""

from datetime import timedelta

import pytest

from spark_common.contracts.home import HOME_REQUESTER
from spark_common.contracts.leases import LeaseView, Waiter
from spark_common.contracts.models import Menu, ModelView, RuntimeView
from spark_common.contracts.plans import Quarantine
from spark_common.contracts.swaps import Phase, Swaps, SwapView
from spark_common.contracts.traffic import Traffic
from spark_common.settings import load
from spark_common.testing import FakeClock
from spark_coordinator.home.decision import Ask, Refusal, Scene, decide, wait_seconds
from spark_coordinator.home.settings import HomeSettings
from spark_coordinator.sight import Sight

NOW = FakeClock().now()
HOUR = timedelta(hours=1)
SETTINGS = HomeSettings(home_model="home")
FREE = LeaseView(state="free", epoch=4)


def a_model(key="home", **facts):
    defaults = {"state": "ready", "load_seconds": 200.0}
    return ModelView(
        key=key,
        name=key.title(),
        repo=f"org/{key}",
        served_name=f"{key}-served",
        **{**defaults, **facts},
    )


def a_menu(home=None, runtime="serving"):
    models = [home or a_model(), a_model("other", loaded=True)]
    return Menu(models=models, recipes=[], hosts=[], runtime=RuntimeView(state=runtime), as_of=NOW)


def a_swap(number, by=HOME_REQUESTER, phase=Phase.READY, at=-0.5 * HOUR, ended=True, **facts):
    return SwapView(
        id=f"s{number}",
        model="other",
        model_name="Other",
        requested_by=by,
        phase=phase,
        created_at=NOW + at,
        finished_at=NOW + at + timedelta(minutes=1) if ended else None,
        **facts,
    )


def a_scene(lease=FREE, swaps=None, **facts):
    sight = Sight(0.0, lease, swaps or Swaps(), Traffic(in_flight=0))
    defaults = {"menu": a_menu(), "quiet_seconds": 900.0, "lease_ended_at": NOW - HOUR}
    return Scene(NOW, sight, **{**defaults, **facts})


def waiter():
    return Waiter(
        ticket="t",
        holder="Bob",
        priority="batch",
        position=1,
        ttl_seconds=60,
        since=NOW,
        wait_until=NOW + HOUR,
    )


def failed(number, minutes_ago, phase=Phase.FAILED):
    return a_swap(number, phase=phase, at=timedelta(minutes=-minutes_ago - 1))


def outcome(settings, scene):
    decision = decide(settings, scene)
    return "ask" if isinstance(decision, Ask) else decision.state


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        (a_scene(), "ask"),
        (a_scene(menu=a_menu(runtime="idle")), "ask"),
        (a_scene(menu=a_menu(runtime="degraded")), "ask"),
        (a_scene(menu=a_menu(a_model(loaded=True))), "loaded"),
        (a_scene(menu=None), "waiting"),
        (a_scene(lease=None), "waiting"),
        (a_scene(lease=LeaseView(state="held", holder="Alice", epoch=5)), "waiting"),
        (a_scene(lease=LeaseView(state="granted", holder="Alice", epoch=5)), "waiting"),
        (a_scene(lease=LeaseView(state="draining", holder="Alice", epoch=5)), "waiting"),
        (a_scene(lease=LeaseView(state="free", epoch=4, queue=[waiter()])), "waiting"),
        (a_scene(swaps=Swaps(current=a_swap(1, ended=False))), "waiting"),
        (a_scene(swaps=Swaps(queue=[a_swap(1, ended=False)])), "waiting"),
        (a_scene(quiet_seconds=899.0), "waiting"),
        (a_scene(menu=a_menu(runtime="starting")), "waiting"),
        (a_scene(menu=a_menu(runtime="unreachable")), "waiting"),
        (a_scene(menu=a_menu(runtime="unknown")), "waiting"),
        (a_scene(lease_ended_at=None), "waiting"),
        (a_scene(due_seconds=199.0), "waiting"),
        (a_scene(due_seconds=201.0), "ask"),
        (a_scene(menu=a_menu(a_model(load_seconds=None)), due_seconds=599.0), "waiting"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_its_moment(scene, expected):
    assert outcome(SETTINGS, scene) == expected


@pytest.mark.parametrize(
    ("home", "says"),
    [
        (a_model("another"), "not on the menu"),
        (a_model(state="incomplete"), "incomplete"),
        (a_model(state="missing"), "missing"),
        (a_model(state="needs_setup"), "needs setup"),
        (a_model(quarantine=Quarantine(reason="it froze Spark 1", since="now")), "quarantine"),
    ],
)
def test_what_cannot_be_loaded_is_said_and_not_asked_for(home, says):
    decision = decide(SETTINGS, a_scene(menu=a_menu(home)))
    assert decision.state == "blocked"
    assert says in decision.sentence


@pytest.mark.parametrize("name", ["home", "org/home", "home-served"])
def test_it_may_be_named_as_swaps_name_it(name):
    decision = decide(HomeSettings(home_model=name), a_scene())
    assert decision.key == "home"


@pytest.mark.parametrize(
    ("recent", "default", "always"),
    [
        ([a_swap(1, "Alice", at=-0.5 * HOUR)], "respected", "ask"),
        ([a_swap(1, "Alice", phase=Phase.FAILED)], "respected", "ask"),
        ([a_swap(1, "Alice", at=-2 * HOUR)], "ask", "ask"),
        ([a_swap(1, "Alice", dry_run=True)], "ask", "ask"),
        ([a_swap(2), a_swap(1, "Alice", at=-0.9 * HOUR)], "respected", "ask"),
        ([a_swap(1)], "ask", "ask"),
        ([a_swap(1, phase=Phase.CANCELLED, at=-0.9 * HOUR)], "respected", "ask"),
    ],
    ids=[
        "a person's choice since",
        "a person's try since",
        "before the lease ended",
        "only a plan",
        "a person's choice before the return",
        "its own return, and away again by no swap",
        "its return was cancelled",
    ],
)
def test_a_person_who_swaps_without_a_lease_is_respected(recent, default, always):
    scene = a_scene(swaps=Swaps(recent=recent))
    assert outcome(SETTINGS, scene) == default
    assert outcome(SETTINGS.model_copy(update={"home_always": True}), scene) == always


@pytest.mark.parametrize(
    ("recent", "expected"),
    [
        ([failed(1, 9)], "backing_off"),
        ([failed(1, 10)], "ask"),
        ([failed(2, 19), failed(1, 40)], "backing_off"),
        ([failed(2, 20), failed(1, 40)], "ask"),
        ([failed(2, 19), a_swap(1, at=-0.9 * HOUR), failed(0, 55)], "ask"),
        ([failed(1, 5, Phase.ROLLED_BACK)], "backing_off"),
        ([failed(1, -600)], "ask"),
    ],
    ids=[
        "just failed",
        "ten minutes ago",
        "twice",
        "twice, long enough ago",
        "it went well in between",
        "rolled back",
        "a clock that was set back",
    ],
)
def test_failures_are_not_hammered(recent, expected):
    assert outcome(SETTINGS, a_scene(swaps=Swaps(recent=recent))) == expected


@pytest.mark.parametrize(
    ("model", "count", "minutes_ago", "expected"),
    [
        ("home", 1, 9, "backing_off"),
        ("home", 1, 10, "ask"),
        ("home", 3, 39, "backing_off"),
        ("home", 3, 40, "ask"),
        ("another", 3, 1, "ask"),
    ],
)
def test_refusals_are_not_hammered(model, count, minutes_ago, expected):
    refusal = Refusal(model, count, NOW - timedelta(minutes=minutes_ago), "no")
    assert outcome(SETTINGS, a_scene(refusal=refusal)) == expected


def test_waits_double_up_to_six_hours():
    assert [wait_seconds(count) / 60 for count in (1, 2, 3, 6, 7, 1000)] == [
        *(10, 20, 40, 320, 360, 360)
    ]


def test_two_coordinators_ask_for_one_swap_and_a_retry_for_another():
    first, second = decide(SETTINGS, a_scene()), decide(SETTINGS, a_scene())
    assert first == second
    retry = decide(SETTINGS, a_scene(swaps=Swaps(recent=[failed(1, 11)])))
    after_the_next_lease = decide(SETTINGS, a_scene(lease=LeaseView(state="free", epoch=5)))
    assert len({first.swap_id, retry.swap_id, after_the_next_lease.swap_id}) == 3


def test_without_a_name_there_is_none():
    assert outcome(HomeSettings(), a_scene()) == "off"


@pytest.mark.parametrize(
    ("environ", "model", "minutes", "warnings"),
    [
        ({}, "", 15.0, 0),
        ({"HOME_MODEL": " qwen ", "HOME_IDLE_MINUTES": "0.5"}, "qwen", 0.5, 0),
        ({"HOME_MODEL": "qwen", "HOME_IDLE_MINUTES": "soon"}, "qwen", 15.0, 1),
        ({"HOME_IDLE_MINUTES": "nan"}, "", 15.0, 1),
        ({"HOME_MODEL": "x" * 201}, "", 15.0, 1),
    ],
)
def test_what_the_environment_says(environ, model, minutes, warnings):
    settings = load(HomeSettings, environ)
    assert (settings.home_model, settings.home_idle_minutes) == (model, minutes)
    assert len(settings.warnings) == warnings
