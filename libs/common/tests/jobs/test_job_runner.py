"""Jobs from acceptance to their one outcome, on fakes: restarts, outages, cancels, take-overs."""

import asyncio

import pytest

from spark_common.contracts.jobs import JobState
from spark_common.contracts.swaps import Cause
from spark_common.errors import (
    IdempotencyConflictError,
    JobInProgressError,
    NotFoundError,
    RemoteCommandError,
    UnavailableError,
)
from spark_common.jobs import Ending, StaleWriterError
from spark_common.jobs.journal import fitting
from spark_common.tasks import end

DONE = Ending(JobState.COMPLETE, "Done.")


async def patient(journal):
    """A work of three steps that takes three seconds, or ends when it is cancelled."""
    for step in ("pulling", "building"):
        if journal.record.step != step:
            await journal.enter(step, f"{step} now")
        if await journal.pause(1.5):
            cause = Cause(code="cancelled", sentence="Bob stopped it.", action="Start again.")
            return Ending(JobState.CANCELLED, "Cancelled.", cause)
    return DONE


def begin(runner):
    return asyncio.create_task(runner.run())


async def test_a_job_is_told_step_by_step_and_has_one_outcome(workshop, make):
    place = workshop(patient)
    runner = place.start()
    running = begin(runner)
    await runner.request(make())
    await place.clock.advance(10)
    told = place.told()
    assert [(event["n"], event["step"], event["previous_step"]) for event in told] == [
        (1, "pulling", "checking"),
        (2, "building", "pulling"),
    ]
    (outcome,) = place.told("SC_JOB_EVT")
    assert (outcome["outcome"], outcome["message"]) == ("complete", "Done.")
    assert outcome["total_seconds"] == 3
    record = await runner.get("one")
    assert (record.state, [mark.seconds for mark in record.steps]) == (
        JobState.COMPLETE,
        [0.0, 1.5, 1.5],
    )
    assert place.ended == [JobState.COMPLETE]
    assert await runner.live() == []
    await end([running])


async def test_repeated_busy_conflicting_and_unknown_requests(workshop, make):
    place = workshop(patient)
    runner = place.start()
    running = begin(runner)
    first = await runner.request(make())
    assert (await runner.request(make())).id == first.id
    with pytest.raises(JobInProgressError) as busy:
        await runner.request(make("two"))
    assert busy.value.details["job_id"] == "one"
    with pytest.raises(IdempotencyConflictError):
        await runner.request(make(body="other"))
    with pytest.raises(NotFoundError):
        await runner.get("three")
    with pytest.raises(NotFoundError):
        await runner.cancel("three", "Bob")
    await place.clock.advance(10)
    assert len(place.told("SC_JOB_EVT")) == 1
    await end([running])


async def test_a_cancel_ends_it_at_once_and_says_who(workshop, make):
    place = workshop(patient)
    runner = place.start()
    running = begin(runner)
    await runner.request(make())
    await place.clock.advance(0.1)
    await runner.cancel("one", "Bob")
    await place.clock.advance(0)
    (outcome,) = place.told("SC_JOB_EVT")
    assert (outcome["outcome"], outcome["cause"]["sentence"]) == ("cancelled", "Bob stopped it.")
    assert (await runner.cancel("one", "Bob")).state is JobState.CANCELLED
    await end([running])


@pytest.mark.parametrize("lived", [0.0, 0.1, 1.6, 2.9])
async def test_a_killed_process_is_carried_on_by_the_next_one(workshop, make, lived):
    place = workshop(patient)
    runner = place.start()
    running = begin(runner)
    await runner.request(make())
    await place.clock.advance(lived)
    await end([running])
    assert place.told("SC_JOB_EVT") == []
    second = begin(place.start())
    await place.clock.advance(10)
    (outcome,) = place.told("SC_JOB_EVT")
    assert outcome["outcome"] == "complete"
    numbers = [event["n"] for event in place.told()]
    assert numbers == sorted(set(numbers))
    await end([second])


async def test_a_cancel_that_came_while_nobody_ran_is_found_by_the_next_process(workshop, make):
    place = workshop(patient)
    runner = place.start()
    running = begin(runner)
    await runner.request(make())
    await place.clock.advance(0.1)
    await end([running])
    await place.store.request_cancel("one", "Bob")
    second = begin(place.start())
    await place.clock.advance(0.5)
    assert [event["outcome"] for event in place.told("SC_JOB_EVT")] == ["cancelled"]
    await end([second])


async def test_an_outcome_that_was_told_but_not_recorded_stands(workshop, make):
    place = workshop(patient)
    runner = place.start()
    running = begin(runner)
    await runner.request(make())
    await place.clock.advance(2)
    place.store.away = True
    await place.clock.advance(2)
    assert [event["outcome"] for event in place.told("SC_JOB_EVT")] == ["complete"]
    await end([running])
    place.store.away = False
    assert [job.id for job in await place.store.live()] == ["one"]

    async def never(journal):
        raise AssertionError("the work was over")

    place.work = never
    second = begin(place.start())
    await place.clock.advance(5)
    assert (await place.store.get("one")).state is JobState.COMPLETE
    assert len(place.told("SC_JOB_EVT")) == 1
    await end([second])


async def test_a_running_job_goes_on_while_redis_and_the_bus_are_away(workshop, make):
    place = workshop(patient)
    runner = place.start()
    running = begin(runner)
    await runner.request(make())
    await place.clock.advance(0.1)
    place.store.away = True
    place.broker.down()
    for call in (lambda: runner.request(make("two", exclusive="x/y")), lambda: runner.recent(3)):
        with pytest.raises(UnavailableError):
            await call()
    await place.clock.advance(6)
    place.broker.up()
    await place.clock.advance(6)
    assert len(place.told("SC_JOB_EVT")) == 1
    place.store.away = False
    await place.clock.advance(6)
    assert (await place.store.get("one")).state is JobState.COMPLETE
    await end([running])


async def test_requests_are_refused_while_only_the_bus_is_away(workshop, make):
    place = workshop(patient)
    runner = place.start()
    place.broker.down()
    with pytest.raises(UnavailableError):
        await runner.request(make())
    assert await place.store.live() == []


@pytest.mark.parametrize(
    ("error", "code"),
    [(RemoteCommandError("it said no"), "remote_command_failed"), (ValueError("bug"), "internal")],
)
async def test_a_work_that_raises_ends_as_failed_with_a_cause(workshop, make, error, code):
    async def broken(journal):
        raise error

    place = workshop(broken)
    runner = place.start()
    running = begin(runner)
    await runner.request(make())
    await place.clock.advance(1)
    (outcome,) = place.told("SC_JOB_EVT")
    assert (outcome["outcome"], outcome["cause"]["code"]) == ("failed", code)
    assert "bug" not in str(outcome)
    await end([running])


async def test_a_process_that_was_taken_over_tells_no_outcome(workshop, make):
    place = workshop(patient)
    old = place.start()
    running = begin(old)
    await old.request(make())
    await place.clock.advance(0.1)
    stored = await place.store.get("one")
    await place.store.save(stored.amend(n=7), stored.revision, 9)
    await place.clock.advance(10)
    assert place.told("SC_JOB_EVT") == []
    assert (await place.store.get("one")).n == 7
    await end([running])


async def test_progress_is_told_at_most_five_times_a_second(workshop, make):
    async def busy(journal):
        await journal.enter("pulling", "x")
        for number in range(1000):
            await journal.note(percent=number / 10, lines=[f"line {number}"])
            await journal.pause(0.01)
        return DONE

    place = workshop(busy)
    runner = place.start()
    running = begin(runner)
    await runner.request(make())
    await place.clock.advance(12)
    told = place.told()
    assert 45 <= len(told) <= 52
    lines = [line for event in told for line in event["lines"]]
    assert lines[:30] == [f"line {number}" for number in range(30)]
    assert len(place.told("SC_JOB_EVT")) == 1
    await end([running])


async def test_a_note_of_another_writers_record_stops_the_work(workshop, make):
    seen = []

    async def noting(journal):
        await journal.enter("pulling", "x")
        try:
            while True:
                await journal.pause(1)
                await journal.note(percent=float(len(seen)), eta_seconds=None)
                seen.append(1)
        except StaleWriterError:
            seen.append("stale")
            raise

    place = workshop(noting)
    runner = place.start()
    running = begin(runner)
    await runner.request(make())
    await place.clock.advance(2.5)
    stored = await place.store.get("one")
    await place.store.save(stored.amend(n=50), stored.revision, 9)
    await place.clock.advance(2)
    assert seen[-1] == "stale"
    await end([running])


def test_an_event_holds_the_last_lines_and_says_how_many_are_missing():
    assert fitting(["a", "b"]) == ["a", "b"]
    lines = fitting([f"line {number}" for number in range(500)])
    assert (lines[0], lines[-1], len(lines)) == ("... 300 lines left out ...", "line 499", 201)
    assert len(fitting(["x" * 150_000, "y" * 150_000])) == 2
