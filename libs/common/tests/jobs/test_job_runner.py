"""Jobs from acceptance to their one outcome, on fakes: restarts, outages, cancels, take-overs."""

import pytest

from spark_common.contracts.jobs import JobState
from spark_common.errors import (
    IdempotencyConflictError,
    JobInProgressError,
    NotFoundError,
    RemoteCommandError,
    UnavailableError,
)
from spark_common.jobs import Ending, StaleWriterError

DONE = Ending(JobState.COMPLETE, "Done.")


async def never(journal):
    raise AssertionError("the work was over")


async def test_a_job_is_told_step_by_step_and_has_one_outcome(workshop):
    runner = await workshop.begin(10)
    told = workshop.told()
    assert [(event["n"], event["step"], event["previous_step"]) for event in told] == [
        (1, "pulling", "checking"),
        (2, "building", "pulling"),
    ]
    (outcome,) = workshop.outcomes()
    assert (outcome["outcome"], outcome["message"]) == ("complete", "Done.")
    assert outcome["total_seconds"] == 3
    record = await runner.get("one")
    assert (record.state, [mark.seconds for mark in record.steps]) == (
        JobState.COMPLETE,
        [0.0, 1.5, 1.5],
    )
    assert workshop.ended == [JobState.COMPLETE]
    assert await runner.live() == []


async def test_repeated_busy_conflicting_and_unknown_requests(workshop, make):
    runner = await workshop.begin()
    assert (await runner.request(make())).id == "one"
    with pytest.raises(JobInProgressError) as busy:
        await runner.request(make("two"))
    assert busy.value.details["job_id"] == "one"
    with pytest.raises(IdempotencyConflictError):
        await runner.request(make(body="other"))
    with pytest.raises(NotFoundError):
        await runner.get("three")
    with pytest.raises(NotFoundError):
        await runner.cancel("three", "Bob")
    await workshop.clock.advance(10)
    assert len(workshop.outcomes()) == 1


async def test_a_cancel_ends_it_at_once_and_says_who(workshop):
    runner = await workshop.begin(0.1)
    await runner.cancel("one", "Bob")
    await workshop.clock.advance(0)
    (outcome,) = workshop.outcomes()
    assert (outcome["outcome"], outcome["cause"]["sentence"]) == ("cancelled", "Bob stopped it.")
    assert (await runner.cancel("one", "Bob")).state is JobState.CANCELLED


@pytest.mark.parametrize("lived", [0.0, 0.1, 1.6, 2.9])
async def test_a_killed_process_is_carried_on_by_the_next_one(workshop, lived):
    await workshop.begin()
    await workshop.clock.advance(lived)
    await workshop.kill()
    assert workshop.outcomes() == []
    workshop.start()
    await workshop.clock.advance(10)
    (outcome,) = workshop.outcomes()
    assert outcome["outcome"] == "complete"
    numbers = [event["n"] for event in workshop.told()]
    assert numbers == sorted(set(numbers))


async def test_a_cancel_that_came_while_nobody_ran_is_found_by_the_next_process(workshop):
    await workshop.begin(0.1)
    await workshop.kill()
    await workshop.store.request_cancel("one", "Bob")
    workshop.start()
    await workshop.clock.advance(0.5)
    assert [event["outcome"] for event in workshop.outcomes()] == ["cancelled"]


async def test_an_outcome_that_was_told_but_not_recorded_stands(workshop):
    await workshop.begin(2)
    workshop.store.away = True
    await workshop.clock.advance(2)
    assert [event["outcome"] for event in workshop.outcomes()] == ["complete"]
    await workshop.kill()
    workshop.store.away = False
    assert [job.id for job in await workshop.store.live()] == ["one"]
    workshop.work = never
    workshop.start()
    await workshop.clock.advance(5)
    assert (await workshop.store.get("one")).state is JobState.COMPLETE
    assert len(workshop.outcomes()) == 1


async def test_a_running_job_goes_on_while_redis_and_the_bus_are_away(workshop, make):
    runner = await workshop.begin(0.1)
    workshop.store.away = True
    workshop.broker.down()
    for call in (lambda: runner.request(make("two", exclusive="x/y")), lambda: runner.recent(3)):
        with pytest.raises(UnavailableError):
            await call()
    await workshop.clock.advance(6)
    workshop.broker.up()
    await workshop.clock.advance(6)
    assert len(workshop.outcomes()) == 1
    workshop.store.away = False
    await workshop.clock.advance(6)
    assert (await workshop.store.get("one")).state is JobState.COMPLETE


async def test_requests_are_refused_while_only_the_bus_is_away(workshop, make):
    workshop.broker.down()
    with pytest.raises(UnavailableError):
        await workshop.start().request(make())
    assert await workshop.store.live() == []


@pytest.mark.parametrize(
    ("error", "code"),
    [(RemoteCommandError("it said no"), "remote_command_failed"), (ValueError("bug"), "internal")],
)
async def test_a_work_that_raises_ends_as_failed_with_a_cause(workshop, error, code):
    async def broken(journal):
        raise error

    workshop.work = broken
    await workshop.begin(1)
    (outcome,) = workshop.outcomes()
    assert (outcome["outcome"], outcome["cause"]["code"]) == ("failed", code)
    assert "bug" not in str(outcome)


async def test_a_process_that_was_taken_over_tells_no_outcome(workshop):
    await workshop.begin(0.1)
    stored = await workshop.store.get("one")
    await workshop.store.save(stored.amend(n=7), stored.revision, 9)
    await workshop.clock.advance(10)
    assert workshop.outcomes() == []
    assert (await workshop.store.get("one")).n == 7


async def test_a_note_of_another_writers_record_stops_the_work(workshop):
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

    workshop.work = noting
    await workshop.begin(2.5)
    stored = await workshop.store.get("one")
    await workshop.store.save(stored.amend(n=50), stored.revision, 9)
    await workshop.clock.advance(2)
    assert seen[-1] == "stale"


async def test_a_job_whose_record_was_lost_after_its_end_is_not_done_again(workshop):
    await workshop.begin(10)
    await workshop.kill()
    workshop.store.forget()
    workshop.work = never
    runner = await workshop.begin(5)
    assert (await runner.get("one")).state is JobState.COMPLETE
    assert len(workshop.outcomes()) == 1
    assert await runner.live() == []


async def test_a_store_that_lost_its_data_gets_the_running_job_back(workshop):
    """Also the numbers of processes begin anew there; the next one still takes over."""
    for _ in range(4):
        await workshop.store.claim_writer()
    await workshop.begin(0.1)
    workshop.store.forget()
    await workshop.clock.advance(1.6)
    assert [job.step for job in await workshop.store.live()] == ["building"]
    await workshop.kill()
    workshop.start()
    await workshop.clock.advance(10)
    assert [event["outcome"] for event in workshop.outcomes()] == ["complete"]
    assert (await workshop.store.get("one")).state is JobState.COMPLETE
