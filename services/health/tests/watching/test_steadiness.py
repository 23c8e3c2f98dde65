"""What comes and goes is degraded, once, until it is steady; what is missed seldom is not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_health.watching.judge import MISSES, Change, Ground, judge
from spark_health.watching.ports import Sighting, Target
from spark_health.watching.showing import view_of
from spark_health.watching.standing import Moment, Standing
from spark_health.watching.steadiness import FEW, LOOKS, MANY

START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
TARGET = Target("qdrant", "service", "Vectors", "spark2")
BAD = {"x": "down", "d": "degraded"}


def moment(number: int) -> Moment:
    return Moment(START + timedelta(seconds=5 * number), 1000.0 + 5 * number)


def after(marks: str, ground: Ground = "solid") -> tuple[Standing, list[Change]]:
    """Return what looks amount to: ``.`` is well, ``x`` missed, ``d`` degraded, ``?`` unknown."""
    standing, changes = Standing().awake(moment(0)), []
    for number, mark in enumerate(marks, start=1):
        state = BAD.get(mark, "unknown" if mark == "?" else "up")
        sighting = Sighting(state, "refused" if mark == "x" else "", moment(number).now)
        verdict = judge(standing, sighting, moment(number), ground)
        standing = verdict.standing
        changes += [verdict.change] if verdict.change else []
    return standing, changes


def told(changes: list[Change]) -> list[tuple[str, str]]:
    return [(one.before, one.after) for one in changes]


@pytest.mark.parametrize("pattern", [".x", ".xx", "..xx", ".d", ".xd", ".x?", "..x.x"])
def test_what_misses_every_second_look_is_degraded_once_and_says_so(pattern: str) -> None:
    standing, changes = after("....." + pattern * 60)
    assert told(changes) == [("up", "degraded")]
    assert changes[0].reason.startswith("flapping: 5 of its latest")
    view = view_of(TARGET, standing, moment(5 + 60 * len(pattern)), stale_seconds=1000)
    assert (view.state, view.level, view.flapping) == ("degraded", "degraded", True)
    assert view.reason.startswith("flapping")


def test_it_is_well_again_when_it_was_steady_for_a_minute() -> None:
    shaken = "....." + ".x" * 12
    standing, changes = after(shaken + "." * (LOOKS - 3))
    assert (standing.level, standing.unsteady) == ("degraded", True)
    standing, changes = after(shaken + "." * LOOKS)
    assert told(changes) == [("up", "degraded"), ("degraded", "up")]
    assert "steadily" in changes[1].reason
    assert not standing.unsteady


def test_three_in_a_row_make_it_down_all_the_same_and_an_outage_is_no_coming_and_going() -> None:
    standing, changes = after("....." + ".x" * 6 + "xx")
    assert told(changes) == [("up", "degraded"), ("degraded", "down")]
    standing, changes = after("." + "x" * 100 + "." * 30)
    assert told(changes) == [("up", "down"), ("down", "up")]
    assert standing.level == "up"


@pytest.mark.parametrize("ground", ["shaking", "gone"])
def test_what_its_host_does_to_it_is_not_held_against_it(ground: Ground) -> None:
    standing, changes = after(".x" * 60, ground)
    assert changes == []
    assert not standing.unsteady


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from("....x?"), max_size=120).map("".join))
def test_no_false_alarm_where_misses_are_few(marks: str) -> None:
    certain = marks.replace("?", "")
    windows = [certain[n : n + LOOKS].count("x") for n in range(len(certain) + 1)]
    if max(windows) >= MANY or "x" * MISSES in certain or not certain.startswith("."):
        return
    assert after(marks)[1] == []


@settings(max_examples=150, deadline=None)
@given(st.text("..xx", min_size=1, max_size=80))
def test_flapping_is_told_exactly_when_it_is_so(marks: str) -> None:
    standing, changes = after("." + marks)
    for change in changes:
        if change.after == "degraded":
            assert change.reason.startswith("flapping")
    if standing.level == "up":
        assert standing.recent.count("x") < MANY
    if standing.unsteady:
        assert standing.level == "degraded"
        assert len(standing.recent) < LOOKS or standing.recent.count("x") > FEW
    # However it goes on, a minute without a miss ends it.
    calm, _ = after("." + marks + "." * (LOOKS + 1))
    assert (calm.level, calm.unsteady) == ("up", False)
