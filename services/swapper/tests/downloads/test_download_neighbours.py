"""Downloads beside others: room that is promised, deletions and updates, a copy that runs on."""

import asyncio

import pytest

from spark_common.contracts.downloads import PlanDownload
from spark_common.contracts.jobs import CancelJob, JobState
from spark_common.errors import JobInProgressError, ModelInUseError

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

BIG = "Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8"
ON_FIRST = "nvidia/Qwen3.6-35B-A3B-NVFP4"
RESERVE = 10_000_000_000


async def test_two_that_begin_at_once_are_never_given_the_same_room(sparks, small):
    sparks.leave_free(RESERVE + 35_000_000_000)
    sparks.slow(400)
    await asyncio.gather(sparks.begin(small, job_id="d1"), sparks.begin(BIG, job_id="d2"))
    async with asyncio.timeout(120):
        while not (ended := [job for job in ("d1", "d2") if await over(sparks, job)]):
            await asyncio.sleep(0.02)
    (refused,) = ended
    view = await sparks.ended(refused)
    assert (view.state, view.cause.code) == (JobState.FAILED, "no_space")
    assert "are for other downloads" in view.cause.sentence
    assert "stay reserved" in view.cause.sentence
    goes_on = "d2" if refused == "d1" else "d1"
    sparks.slow(1)
    assert (await sparks.ended(goes_on)).state is JobState.COMPLETE


async def over(sparks, job_id) -> bool:
    return (await sparks.until(lambda view: True, job_id)).over


async def test_what_a_running_download_needs_is_not_free_for_a_plan(sparks, small):
    sparks.leave_free(RESERVE + 35_000_000_000)
    sparks.slow(400)
    await sparks.begin(BIG)
    await sparks.until(lambda view: view.step == "fetching")
    plan = await sparks.verbs.plan(PlanDownload(repo=small, hosts=["spark1"]))
    assert any("are for other downloads" in blocker for blocker in plan.blockers)
    again = await sparks.verbs.plan(PlanDownload(repo=BIG, hosts=["spark1"]))
    assert again.blockers == []
    await sparks.verbs.cancel(CancelJob(id="d1", requested_by="Bob"))
    await sparks.ended()
    plan = await sparks.verbs.plan(PlanDownload(repo=small, hosts=["spark1"]))
    assert plan.blockers == []


async def test_none_begins_during_an_update_or_a_deletion(sparks, small):
    sparks.updating = "u-1"
    with pytest.raises(JobInProgressError, match="software is being updated") as busy:
        await sparks.begin()
    assert busy.value.details["job_id"] == "u-1"
    plan = await sparks.verbs.plan(PlanDownload(repo=small))
    assert any(text.startswith("The cluster software is being updated") for text in plan.blockers)
    sparks.updating = None
    sparks.deleting.add(small)
    with pytest.raises(ModelInUseError, match="being deleted"):
        await sparks.begin()


async def test_the_same_request_is_answered_whatever_began_since(sparks):
    await sparks.begin()
    ended = await sparks.ended()
    sparks.updating = "u-1"
    assert (await sparks.begin()).id == ended.id


@pytest.fixture(params=["update", "deletion"])
async def waiting(request, sparks, small):
    """A download beside which something began in the same moment."""
    sparks.overlooked.add(request.param)
    if request.param == "update":
        sparks.updating = "u-1"
    else:
        sparks.deleting.add(small)
    await sparks.begin()
    await sparks.until(lambda view: view.message.startswith("Waiting. "))
    return sparks


async def test_one_that_slips_in_waits_before_its_first_effect(waiting):
    assert waiting.running() == []
    assert not waiting.folder().exists()
    waiting.updating = None
    waiting.deleting.clear()
    view = await waiting.ended()
    assert view.state is JobState.COMPLETE
    assert [mark.step for mark in view.steps] == ["checking", "fetching", "verifying"]


async def test_one_that_waits_can_be_cancelled(waiting):
    await waiting.verbs.cancel(CancelJob(id="d1", requested_by="Bob"))
    view = await waiting.ended()
    assert view.state is JobState.CANCELLED
    assert view.message == "Cancelled by Bob. Nothing was fetched."


async def test_a_copy_that_runs_is_followed_by_the_next_process_whatever_the_room(sparks):
    sparks.slow(160)
    await sparks.begin(ON_FIRST, "spark2")
    await sparks.until(lambda view: view.done_bytes > 5_000_000_000)
    await sparks.kill()
    # Room for what is still to come, not for all of it once more.
    sparks.leave_free(RESERVE + 20_000_000_000, "spark2")
    await sparks.start()
    await sparks.until(lambda view: view.message.startswith("Copying to Spark 2: "))
    sparks.slow(1)
    view = await sparks.ended()
    assert view.state is JobState.COMPLETE, view
