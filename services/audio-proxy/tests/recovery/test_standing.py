"""How the speech server stands: every fact in every state."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_audio_proxy.recovery.standing import (
    SUSPECT_SECONDS,
    TRIAL_SECONDS,
    Checked,
    Fact,
    Failed,
    Heard,
    Standing,
    Succeeded,
    Waited,
    advance,
    may_try,
)

READY = Standing()
T = 1000.0


def _after(*facts: Fact, at: float = T) -> Standing:
    standing = READY
    for number, fact in enumerate(facts):
        standing = advance(standing, fact, at + number)
    return standing


WEDGE = Failed("wedge", "abc", "e1")
ERROR = Failed("error", "abc", "e1")
SUSPECT = _after(WEDGE)
BARE = _after(ERROR)
STUCK = _after(WEDGE, Checked("wedged", T + 1))
LATER = Checked("ok", T + 50)


@pytest.mark.parametrize(
    ("facts", "state", "proven"),
    [
        # A failure alone is a suspicion, whatever it says.
        ([WEDGE], "suspect", False),
        ([ERROR], "suspect", False),
        ([Failed("broke_off", "abc", "e1")], "suspect", False),
        ([Failed("late", "abc", "e1")], "suspect", False),
        # Real work decides it.
        ([WEDGE, Checked("ok", T + 1)], "ready", False),
        ([ERROR, Checked("ok", T + 1)], "ready", False),
        ([WEDGE, Checked("wedged", T + 1)], "recovering", True),
        ([ERROR, Checked("wedged", T + 1)], "recovering", True),
        ([WEDGE, Checked("failing", T + 1)], "recovering", True),
        ([ERROR, Checked("failing", T + 1)], "suspect", False),
        ([WEDGE, Checked("down", T + 1)], "recovering", True),
        # A check from before it began says nothing.
        ([WEDGE, Checked("ok", T - 1)], "suspect", False),
        # Busy proves nothing.
        ([Failed("late", "abc", "e1"), Checked("busy", T + 1)], "ready", False),
        ([WEDGE, Checked("busy", T + 1)], "suspect", False),
        ([WEDGE, Heard("silent")], "suspect", False),
        ([Heard("silent")], "ready", False),
        ([Checked("busy", T)], "ready", False),
        ([Checked("wedged", T)], "ready", False),
        # Other work that was done since is as good as a check.
        ([WEDGE, Succeeded(T + 0.5)], "ready", False),
        ([WEDGE, Succeeded(T - 5)], "suspect", False),
        # Its restart is over when another process answers.
        ([WEDGE, Checked("wedged", T + 1), Heard("ready")], "recovering", True),
        ([WEDGE, Checked("wedged", T + 1), Heard("refused"), Heard("loading"), Heard("ready")],
         "ready", False),
        ([WEDGE, Checked("wedged", T + 1), Checked("ok", T + 2)], "ready", False),
        ([WEDGE, Heard("loading")], "recovering", True),
        ([ERROR, Heard("refused")], "recovering", False),
        # Nobody listens, or it loads: no recording is at fault.
        ([Failed("refused", "abc", "e1")], "down", False),
        ([Failed("refused", "abc", "e1"), Heard("loading")], "recovering", False),
        ([Failed("refused", "abc", "e1"), Heard("ready")], "ready", False),
        # Who takes connections and works for somebody else is there.
        ([Failed("refused", "abc", "e1"), Heard("silent")], "ready", False),
        ([Failed("loading", "abc", "e1")], "recovering", False),
        ([Failed("loading", "abc", "e1"), Heard("loading"), Heard("ready")], "ready", False),
    ],
)  # fmt: skip
def test_facts_lead_to_a_state(facts: list[Fact], state: str, proven: bool) -> None:
    standing = _after(*facts)
    assert (standing.state, standing.proven) == (state, proven)
    if standing.trouble in ("refused", "loading"):
        assert standing.culprit == ""


def test_without_any_news_what_was_seen_decides() -> None:
    for standing, then in ((SUSPECT, "recovering"), (BARE, "ready")):
        assert advance(standing, Waited(), T + SUSPECT_SECONDS - 1) == standing
        assert advance(standing, Waited(), T + SUSPECT_SECONDS).state == then


def test_many_victims_are_one_episode() -> None:
    standing = advance(SUSPECT, Failed("wedge", "other", "e2"), T + 1)
    assert standing == SUSPECT
    assert advance(STUCK, Failed("wedge", "other", "e2"), T + 1) == STUCK


def test_the_one_that_names_the_gpu_is_the_culprit() -> None:
    standing = advance(BARE, Failed("wedge", "guilty", "e2"), T + 1)
    assert (standing.culprit, standing.episode) == ("guilty", "e1")


def test_a_trial_is_let_through_once_a_minute() -> None:
    assert may_try(READY, T) is None
    assert may_try(SUSPECT, T + 500) is None
    assert may_try(STUCK, T + TRIAL_SECONDS - 1) is None
    tried = may_try(STUCK, T + TRIAL_SECONDS)
    assert tried is not None
    assert may_try(tried, T + TRIAL_SECONDS + 1) is None
    assert may_try(tried, T + 2 * TRIAL_SECONDS) is not None


FACTS = st.one_of(
    st.builds(
        Failed,
        st.sampled_from(["wedge", "broke_off", "error", "late", "loading", "refused"]),
        st.sampled_from(["a", "b"]),
        st.uuids().map(str),
    ),
    st.builds(Succeeded, st.floats(0, 500)),
    st.builds(
        Checked,
        st.sampled_from(["ok", "idle", "busy", "loading", "failing", "wedged", "down", "skipped"]),
        st.floats(0, 500),
    ),
    st.builds(Heard, st.sampled_from(["ready", "loading", "failed", "refused", "silent"])),
    st.builds(Waited),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(FACTS, st.floats(0, 20)), max_size=25))
def test_whatever_happens_it_can_get_well_and_nothing_is_blamed_without_proof(
    happened: list[tuple[Fact, float]],
) -> None:
    standing, at, proofs = READY, 1.0, 0
    for fact, later in happened:
        at += later
        before, standing = standing, advance(standing, fact, at)
        proofs += standing.proven and not before.proven
        assert (standing.state == "ready") == (standing == READY)
        if standing.proven:
            assert standing.culprit
            assert standing.state == "recovering"
    failures = sum(isinstance(fact, Failed) for fact, _ in happened)
    assert proofs <= failures
    assert advance(standing, Checked("ok", at + 1), at + 1) == READY
    assert Standing.model_validate_json(standing.model_dump_json()) == standing
