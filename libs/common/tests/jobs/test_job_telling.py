"""What people read of a running job: how often, how much, to the last line, and no secret."""

from spark_common.contracts.jobs import JobState
from spark_common.contracts.swaps import Cause
from spark_common.errors import RemoteCommandError
from spark_common.jobs import Ending
from spark_common.jobs.telling import fitting

DONE = Ending(JobState.COMPLETE, "Done.")
TOKEN = "hf_thisIsTheSecretToken"


def lines_of(workshop):
    return [line for event in workshop.told() for line in event["lines"]]


async def test_progress_is_told_at_most_five_times_a_second(workshop):
    async def busy(journal):
        await journal.enter("pulling", "x")
        for number in range(1000):
            await journal.note(percent=number / 10, lines=[f"line {number}"])
            await journal.pause(0.01)
        return DONE

    workshop.work = busy
    await workshop.begin(12)
    assert 45 <= len(workshop.told()) <= 52
    assert lines_of(workshop) == [f"line {number}" for number in range(1000)]
    assert len(workshop.outcomes()) == 1


async def test_the_last_lines_are_told_before_the_end(workshop):
    """They are those that say why it failed."""

    async def failing(journal):
        await journal.enter("building", "x")
        await journal.note(lines=["no such image"])
        return Ending(JobState.FAILED, "It failed.")

    workshop.work = failing
    runner = await workshop.begin(1)
    assert lines_of(workshop) == ["no such image"]
    (outcome,) = workshop.outcomes()
    assert outcome["outcome"] == "failed"
    assert (await runner.get("one")).n == workshop.told()[-1]["n"]


async def test_a_step_may_begin_with_facts_of_its_own(workshop):
    async def finishing(journal):
        await journal.note(percent=40.0)
        await journal.enter("pulling", "x")
        await journal.enter("done", "y", percent=100.0)
        return DONE

    workshop.work = finishing
    runner = await workshop.begin(1)
    assert [event["percent"] for event in workshop.told()] == [40.0, None, 100.0]
    assert (await runner.get("one")).percent == 100.0


async def test_nothing_that_is_told_or_kept_holds_a_secret(workshop):
    async def talkative(journal):
        await journal.enter("pulling", "x")
        await journal.note(lines=[f"HF_TOKEN={TOKEN}"])
        cause = Cause(code="x", sentence="x", action="x", evidence=[f"sent {TOKEN}"])
        return Ending(JobState.FAILED, "x", cause)

    workshop.work = talkative
    runner = await workshop.begin(1)
    assert lines_of(workshop) == ["HF_TOKEN=***"]
    assert (await runner.get("one")).cause.evidence == ["sent ***"]
    assert TOKEN not in f"{workshop.told()} {workshop.outcomes()}"


async def test_what_a_failed_order_said_is_told_without_secrets(workshop):
    async def refused(journal):
        raise RemoteCommandError(f"it said: bad token {TOKEN}")

    workshop.work = refused
    runner = await workshop.begin(1)
    record = await runner.get("one")
    assert record.message == record.cause.sentence == "it said: bad token ***"


def test_an_event_holds_the_last_lines_and_says_how_many_are_missing():
    assert fitting(["a", "b"]) == ["a", "b"]
    lines = fitting([f"line {number}" for number in range(500)])
    assert (lines[0], lines[-1], len(lines)) == ("... 300 lines left out ...", "line 499", 201)
    assert len(fitting(["x" * 150_000, "y" * 150_000])) == 2
