"""The transition table, exhaustively."""

from datetime import UTC, datetime, timedelta

import pytest

from spark_common.contracts.swaps import AWAY, TERMINAL, Phase
from spark_swapper.records.jobs import (
    MAIN_LINE,
    TRANSITIONS,
    UNTOUCHED,
    IllegalMoveError,
    SwapJob,
    first_job,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


def a_job() -> SwapJob:
    return first_job(swap_id="one", model="m", model_name="M", requested_by="Alice", at=START)


def job_in(phase: Phase) -> SwapJob:
    return a_job().model_copy(update={"phase": phase})


def test_every_phase_has_a_row():
    assert set(TRANSITIONS) == set(Phase)


@pytest.mark.parametrize("source", Phase)
@pytest.mark.parametrize("target", Phase)
def test_a_move_is_legal_exactly_when_the_table_says_so(source: Phase, target: Phase):
    job = job_in(source)
    if target in TRANSITIONS[source]:
        assert job.enter(target, START, "why").phase is target
    else:
        with pytest.raises(IllegalMoveError):
            job.enter(target, START, "why")


def test_ends_are_ends():
    assert {phase for phase, following in TRANSITIONS.items() if not following} == TERMINAL


def test_every_phase_is_reachable_and_every_phase_can_end():
    seen, frontier = {Phase.QUEUED}, [Phase.QUEUED]
    while frontier:
        for following in TRANSITIONS[frontier.pop()] - seen:
            seen.add(following)
            frontier.append(following)
    assert seen == set(Phase)
    for phase in set(Phase) - TERMINAL:
        assert {Phase.FAILED, Phase.CANCELLED} <= TRANSITIONS[phase]


def test_only_what_was_touched_can_be_rolled_back():
    sources = {phase for phase, following in TRANSITIONS.items() if Phase.ROLLING_BACK in following}
    assert not sources & UNTOUCHED
    assert sources <= AWAY


def test_the_main_line_is_walked_move_by_move():
    job = a_job()
    for seconds, phase in enumerate(MAIN_LINE[1:], start=1):
        job = job.enter(phase, START + timedelta(seconds=10 * seconds), phase.value)
    assert [mark.phase for mark in job.phases] == list(MAIN_LINE)
    assert all(seconds == 10 for seconds in job.phase_seconds().values())
    assert job.revision == len(MAIN_LINE)
    assert job.over
    assert job.total_seconds(START) == 70


def test_a_step_is_a_new_value_and_leaves_the_old_one_alone():
    job = a_job()
    moved = job.enter(Phase.PREFLIGHT, START, "checking")
    assert (job.phase, moved.phase) == (Phase.QUEUED, Phase.PREFLIGHT)
    assert job.phases[0].seconds is None
    with pytest.raises(Exception, match="frozen"):
        job.phase = Phase.READY


def test_percent_belongs_to_its_phase_and_the_end_has_a_time():
    loading = job_in(Phase.LOADING).amend(percent=40.0, eta_seconds=12.0)
    warming = loading.enter(Phase.WARMING, START, "almost")
    assert warming.percent is None
    assert warming.eta_seconds == 12.0
    ready = warming.enter(Phase.READY, START, "done")
    assert ready.eta_seconds is None
    assert ready.finished_at == START


def test_a_record_survives_its_json():
    job = a_job().enter(Phase.PREFLIGHT, START, "x").amend(lease_epoch=3)
    assert SwapJob.model_validate_json(job.model_dump_json()) == job


def test_a_clock_that_jumps_back_makes_no_negative_durations():
    job = a_job().enter(Phase.PREFLIGHT, START - timedelta(hours=1), "x")
    assert job.phases[0].seconds == 0


def test_its_times_are_those_of_its_phases():
    def minute(number: int) -> datetime:
        return START + timedelta(minutes=number)

    waiting = a_job()
    assert waiting.entered_at(Phase.PREFLIGHT) is None
    assert waiting.running_seconds(minute(3)) == 0.0
    job = waiting.enter(Phase.PREFLIGHT, minute(2), "checks").enter(
        Phase.DRAINING, minute(5), "drains"
    )
    assert job.entered_at(Phase.QUEUED) == START
    assert job.entered_at(Phase.DRAINING) == minute(5)
    # Since it left the queue: the wait there says nothing of how long a model takes.
    assert job.running_seconds(minute(7)) == 300.0
    assert job.running_seconds(START) == 0.0


def test_what_nobody_asked_for_is_not_done():
    job = a_job()
    assert (job.rollback, job.force, job.drop_caches, job.reload) == (False, False, False, False)
    assert job.when_busy == "reject"
