"""The judge: three misses, one good look, stale with its age, never green by default."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_health.watching.judge import MISSES, judge, lapse
from spark_health.watching.ports import Sighting, Target
from spark_health.watching.showing import stale_after, state_of, view_of
from spark_health.watching.standing import FLAPPING_CHANGES, Moment, Standing

START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
STALE = 30.0
TARGET = Target("parakeet", "service", "Speech to text", "spark1")
WELL = ("up", "idle", "busy")


def moment(seconds):
    return Moment(START + timedelta(seconds=seconds), 1000.0 + seconds)


def seen(state, seconds):
    return Sighting(state, f"seen {state}", moment(seconds).now)


def after(states, every=5.0, standing=None, ground="solid"):
    """Return the standing and the changes after looks in a row."""
    standing = standing or Standing().awake(moment(0))
    changes, at = [], 0.0
    for state in states:
        at += every
        verdict = judge(standing, seen(state, at), moment(at), ground)
        standing = verdict.standing
        if verdict.change:
            changes.append((verdict.change.before, verdict.change.after))
    return standing, changes


@pytest.mark.parametrize(
    ("states", "changes", "level"),
    [
        ("", [], "unknown"),
        ("up", [], "up"),
        ("idle", [], "up"),
        ("unknown unknown", [], "unknown"),
        ("up down", [], "up"),
        ("up down down", [], "up"),
        ("up down down down", [("up", "down")], "down"),
        ("up down down down down down", [("up", "down")], "down"),
        ("up down down up down down", [], "up"),
        ("up down unknown down unknown down", [("up", "down")], "down"),
        ("up down down down up", [("up", "down"), ("down", "up")], "up"),
        ("up down down down busy", [("up", "down"), ("down", "up")], "up"),
        ("up idle busy up busy idle", [], "up"),
        ("down down", [], "unknown"),
        ("down down down", [("unknown", "down")], "down"),
        ("degraded", [("unknown", "degraded")], "degraded"),
        ("up degraded degraded", [], "up"),
        ("up degraded up degraded degraded up", [], "up"),
        ("up degraded degraded degraded", [("up", "degraded")], "degraded"),
        ("up degraded degraded degraded up", [("up", "degraded"), ("degraded", "up")], "up"),
        ("up down down down degraded", [("up", "down"), ("down", "degraded")], "degraded"),
    ],
)
def test_what_looks_in_a_row_amount_to(states, changes, level):
    standing, found = after(states.split())
    assert found == changes
    assert standing.level == level
    assert standing.n == len(changes)


def test_down_is_since_the_first_miss_and_says_how_long_it_had_been_well():
    standing, _ = after(["up", "down", "down"])
    verdict = judge(standing, seen("down", 20.0), moment(20.0))
    assert verdict.change.since == START + timedelta(seconds=10)
    assert verdict.change.before_seconds == 5.0
    assert verdict.change.reason == "seen down"


def test_a_target_on_a_host_that_is_missed_waits_and_on_one_that_is_down_follows_silently():
    standing, changes = after(["up"])
    standing, changes = after(["down"] * 9, standing=standing, ground="shaking")
    assert (standing.level, changes) == ("up", [])
    verdict = judge(standing, seen("down", 50), moment(50), "gone")
    assert verdict.change is None
    assert state_of(verdict.standing, moment(50), STALE, "gone") == "down"
    view = view_of(TARGET, verdict.standing, moment(50), stale_seconds=STALE, ground="gone")
    assert (view.state, view.because) == ("down", "spark1")
    # The host is back: it is not known to be well before it was seen, nor down at one miss.
    assert state_of(verdict.standing, moment(60), STALE, "solid") == "unknown"
    back = judge(verdict.standing, seen("up", 60), moment(60))
    assert back.change is None
    assert state_of(back.standing, moment(60), STALE, "solid") == "up"


def test_what_still_answers_is_up_though_its_host_is_down():
    standing, _ = after(["up", "up"], ground="gone")
    assert state_of(standing, moment(10), STALE, "gone") == "up"


def test_without_a_fresh_good_look_it_is_shown_stale_with_its_age_and_then_unknown_for_good():
    standing, _ = after(["up"])
    for at, state, stale in ((30, "up", False), (36, "unknown", True)):
        view = view_of(TARGET, standing, moment(at), stale_seconds=STALE)
        assert (view.state, view.stale, view.age_seconds) == (state, stale, at - 5)
    assert view.last_state == "up"
    assert "31 s ago" in view.reason
    assert lapse(standing, moment(35), STALE).change is None
    change = lapse(standing, moment(36), STALE).change
    assert (change.before, change.after) == ("up", "unknown")
    again = lapse(lapse(standing, moment(36), STALE).standing, moment(99), STALE)
    assert again.change is None


def test_a_verdict_that_is_under_way_is_not_overtaken_by_time():
    """Slow misses: one fault is one transition, not unknown and then down."""
    standing, _changes = after(["up"])
    at = 5.0
    for _ in range(3):
        at += 28.0
        assert lapse(standing, moment(at), STALE).change is None
        verdict = judge(standing, seen("down", at), moment(at))
        standing = verdict.standing
    assert verdict.change.after == "down"


def test_a_new_process_does_not_take_its_own_absence_for_news():
    standing, _ = after(["up"])
    kept = Standing.model_validate_json(standing.model_dump_json())
    later = Moment(START + timedelta(hours=2), 7.0)
    awake = kept.awake(later)
    assert lapse(awake, later, STALE).change is None
    assert state_of(awake, later, STALE, "solid") == "unknown"
    assert judge(awake, Sighting("up", "", later.now), later).change is None


def test_flapping_is_told():
    states = (["up"] + ["down"] * MISSES) * FLAPPING_CHANGES
    standing, changes = after([*states, "up"])
    view = view_of(TARGET, standing, moment(90), stale_seconds=STALE)
    assert view.flapping
    assert view.changes == len(changes) >= FLAPPING_CHANGES
    verdict = judge(standing, seen("down", 100), moment(100))
    for at in (105, 110):
        verdict = judge(verdict.standing, seen("down", at), moment(at))
    assert "times within half an hour" in verdict.change.reason
    assert not view_of(TARGET, standing, moment(3600), stale_seconds=STALE).flapping


@pytest.mark.parametrize("skew", [-7200, -1, 3600])
def test_a_probe_with_another_clock_neither_looks_ahead_nor_back(skew):
    standing, _ = after(["up", "up"])
    odd = Sighting("up", "", moment(15 + skew).now)
    taken = judge(standing, odd, moment(15)).standing
    assert START + timedelta(seconds=10) <= taken.seen_at <= moment(15).now
    assert taken.age(moment(15)) == 0.0


def test_the_wall_clock_set_ahead_makes_nothing_old():
    standing, _ = after(["up"])
    jumped = Moment(START + timedelta(days=1), 1010.0)
    assert lapse(standing, jumped, STALE).change is None
    assert state_of(standing, jumped, STALE, "solid") == "up"


def test_slow_probes_may_be_older():
    assert stale_after(5) == 30
    assert stale_after(300) == 1800


LOOKS = st.lists(
    st.tuples(
        st.sampled_from(["up", "idle", "busy", "degraded", "down", "unknown"]),
        st.floats(0.1, 40.0),
        st.sampled_from(["solid", "shaking", "gone"]),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(LOOKS)
def test_whatever_is_seen_nothing_is_well_without_reason_and_changes_tell_the_truth(looks):
    standing = Standing().awake(moment(0))
    at, good, row, told = 0.0, None, 0, []
    for state, wait, ground in looks:
        at += wait
        lapsed = lapse(standing, moment(at), STALE)
        standing = lapsed.standing
        verdict = judge(standing, seen(state, at), moment(at), ground)
        if state in (*WELL, "degraded"):
            good, row = at, 0
        elif state == "down":
            row = 0 if ground == "gone" else row + 1
        standing = verdict.standing
        told += [change for change in (lapsed.change, verdict.change) if change]
        # Never up without a fresh good look.
        shown = state_of(standing, moment(at), STALE, ground)
        if shown in (*WELL, "degraded"):
            assert good is not None
            assert at - good <= STALE + 1e-6
        # One good look is enough, and down takes three.
        if state in WELL:
            # Except for what comes and goes: that has to be well for a while.
            assert (standing.level, shown) == (
                ("degraded", "degraded") if standing.unsteady else ("up", state)
            )
        if verdict.change and verdict.change.after == "down":
            assert row >= MISSES
        if state == "down" and ground == "solid" and row >= MISSES:
            assert standing.level == "down"
        # It survives being written down.
        read = Standing.model_validate_json(standing.model_dump_json())
        assert read.model_dump() == standing.model_dump()
    # Every change begins where the one before ended, and leads somewhere else.
    assert [change.before for change in told[1:]] == [change.after for change in told[:-1]]
    assert all(change.before != change.after for change in told)
    assert all(one.since <= two.since for one, two in itertools.pairwise(told))
    assert standing.n == len(told)
