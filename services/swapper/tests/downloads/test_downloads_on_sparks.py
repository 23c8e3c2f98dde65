"""Downloads end to end on simulated Sparks: progress, cancel, resume, both Sparks, refusals."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from spark_common.contracts.downloads import ListDownloads, PlanDownload, StartDownload
from spark_common.contracts.jobs import CancelJob, GetJob, JobState
from spark_common.errors import (
    IdempotencyConflictError,
    JobInProgressError,
    NotFoundError,
    UnavailableError,
)
from spark_sim.hub import READER, STRANGER

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

GATED = "google/gemma-3-1b-it"
BIG = "Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8"
HALF = "nvidia/Llama-4-Scout-17B-16E-NVFP4"
ON_FIRST = "nvidia/Qwen3.6-35B-A3B-NVFP4"
SMALL_BYTES = 8_060_000_000


def fetching(view) -> bool:
    return view.step == "fetching" and view.done_bytes > 1_000_000_000


async def test_a_download_is_told_in_bytes_and_is_whole_in_the_end(sparks):
    sparks.slow(160)
    first = await sparks.begin()
    assert (first.state, first.step, first.repo) == (
        JobState.RUNNING,
        "checking",
        "Qwen/Qwen3-4B-Instruct-2507",
    )
    middle = await sparks.until(lambda view: fetching(view) and view.bytes_per_second is not None)
    assert 0 < middle.percent < 100
    assert middle.total_bytes == pytest.approx(SMALL_BYTES, rel=0.02)
    assert middle.eta_seconds > 0
    assert middle.places[0].state == "running"
    assert f"{middle.done_bytes / 1e9:.1f} GB of 8.1 GB" in middle.message
    sparks.slow(1)
    view = await sparks.ended()
    assert (view.state, view.step, view.cause) == (JobState.COMPLETE, "done", None)
    assert view.message == "Whole on Spark 1 (8.1 GB)."
    assert [mark.step for mark in view.steps] == ["checking", "fetching", "verifying"]
    assert (view.places[0].state, view.percent) == ("ready", 100.0)
    before, after = first.places[0], view.places[0]
    assert before.free_bytes is None
    assert after.free_bytes == after.free_after_bytes < middle.places[0].free_bytes
    assert sparks.weights() == SMALL_BYTES
    assert not any(path.is_symlink() for path in sparks.folder().glob("blobs/*"))
    told = sparks.progress()
    assert [event["n"] for event in told] == list(range(1, len(told) + 1))
    bytes_told = [event["done_bytes"] for event in told]
    assert bytes_told == sorted(bytes_told)
    assert [event["outcome"] for event in sparks.outcomes()] == ["complete"]
    assert sparks.refreshed == 1
    log = await sparks.verbs.log(GetJob(id="d1"))
    assert any("Downloaded" in line for line in log.lines)


async def test_both_sparks_get_it_from_one_fetch(sparks):
    await sparks.begin("Qwen/Qwen3-4B-Instruct-2507", "spark2", "spark1")
    view = await sparks.ended()
    assert view.state is JobState.COMPLETE, view
    assert view.message == "Whole on Spark 1 and Spark 2 (8.1 GB)."
    assert (sparks.weights("spark1"), sparks.weights("spark2")) == (SMALL_BYTES, SMALL_BYTES)
    assert all(link.is_symlink() for link in sparks.folder("spark2").glob("snapshots/*/*"))
    commands = [
        entry.details["command"] for entry in sparks.cluster.journal.of("ssh_command", "spark2")
    ]
    assert not any("HF_HUB_DISABLE" in command and "start" in command for command in commands)
    assert view.total_bytes == pytest.approx(2 * SMALL_BYTES, rel=0.001)
    assert any(
        str(event["message"]).startswith("Copying to Spark 2") for event in sparks.progress()
    )


async def test_what_lies_on_one_spark_is_only_copied_and_needs_no_hub(sparks):
    await sparks.cluster.behave("all", "offline")
    plan = await sparks.verbs.plan(PlanDownload(repo=ON_FIRST, hosts=["spark2"]))
    assert (plan.size_source, plan.missing_bytes, plan.blockers) == ("disk", 0, [])
    await sparks.begin(ON_FIRST, "spark2")
    view = await sparks.ended()
    assert view.state is JobState.COMPLETE, view
    assert [mark.step for mark in view.steps] == ["checking", "copying", "verifying"]
    assert sparks.weights("spark2", ON_FIRST) == 23_400_000_000


async def test_a_cancelled_download_ends_everything_and_goes_on_later(sparks):
    sparks.slow(160)
    await sparks.begin()
    await sparks.until(lambda view: view.done_bytes > 3_000_000_000)
    await sparks.verbs.cancel(CancelJob(id="d1", requested_by="Bob"))
    view = await sparks.ended()
    assert view.state is JobState.CANCELLED
    assert view.message.startswith("Cancelled by Bob. ")
    assert view.cause.code == "cancelled"
    assert sparks.running() == []
    assert view.places[0].state == "partial"
    assert list(sparks.folder().glob("blobs/*.incomplete"))
    kept = sparks.weights()
    assert kept > 0
    sparks.slow(1)
    again = await sparks.begin(job_id="d2")
    assert again.id == "d2"
    view = await sparks.ended("d2")
    assert view.state is JobState.COMPLETE, view
    assert sparks.weights() == SMALL_BYTES
    # The leftovers of the cancelled run are no longer there.
    assert list(sparks.folder().glob("blobs/*.incomplete")) == []
    first = next(event for event in sparks.progress() if event["job_id"] == "d2")
    assert first["step"] == "checking"
    assert [event["outcome"] for event in sparks.outcomes()] == ["cancelled", "complete"]


async def test_a_half_download_is_gone_on_with(sparks):
    plan = await sparks.verbs.plan(PlanDownload(repo=HALF, hosts=["spark1"]))
    assert plan.places[0].state == "partial"
    assert 0 < plan.missing_bytes < plan.total_bytes
    sparks.cluster.hosts["spark1"].pace.speed = 4000
    await sparks.begin(HALF)
    assert (await sparks.ended()).state is JobState.COMPLETE
    assert sparks.weights("spark1", HALF) == 61_000_000_000


@pytest.mark.parametrize("step", ["checking", "fetching", "copying"])
async def test_a_killed_swapper_finds_its_download_again(sparks, step):
    sparks.slow(400 if step == "fetching" else 1)
    await sparks.begin("Qwen/Qwen3-4B-Instruct-2507", "spark1", "spark2")
    await sparks.until(lambda view: view.step == step and (step != "fetching" or fetching(view)))
    await sparks.kill()
    if step == "fetching":
        assert sparks.running() != []
    sparks.slow(1)
    await sparks.start()
    view = await sparks.ended()
    assert view.state is JobState.COMPLETE, view
    assert sparks.weights("spark2") == SMALL_BYTES
    assert len(sparks.outcomes()) == 1
    numbers = [event["n"] for event in sparks.progress()]
    assert numbers == sorted(set(numbers))


async def test_a_download_that_ended_while_nobody_looked_is_complete(sparks):
    sparks.slow(30)
    await sparks.begin()
    await sparks.until(fetching)
    await sparks.kill()
    sparks.slow(1)
    async with asyncio.timeout(120):
        while sparks.running():
            await asyncio.sleep(0.05)
    await sparks.start()
    assert (await sparks.ended()).state is JobState.COMPLETE


async def test_a_reboot_in_the_middle_is_gone_on_with(sparks):
    sparks.slow(400)
    await sparks.begin()
    await sparks.until(fetching)
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                mine = b"SC_DETACHED=" + bytes(sparks.cluster.config.directory)
                if mine in (process / "environ").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:
                continue
    sparks.slow(1)
    view = await sparks.ended()
    assert view.state is JobState.COMPLETE, view
    jobs = sparks.cluster.hosts["spark1"].sandbox.home / ".spark-control" / "jobs"
    assert {path.name for path in jobs.glob("d1/*.log")} == {
        "fetch-spark1-1.log",
        "fetch-spark1-2.log",
    }


async def test_one_download_per_repository_and_the_same_request_is_one(sparks):
    sparks.slow(400)
    first = await sparks.begin()
    assert (await sparks.begin()).id == first.id
    with pytest.raises(JobInProgressError) as busy:
        await sparks.begin("qwen/qwen3-4B-instruct-2507", "spark2", job_id="d2")
    assert busy.value.details["job_id"] == "d1"
    with pytest.raises(IdempotencyConflictError):
        await sparks.begin(BIG)
    assert "being downloaded" in await sparks.verbs.busy_with("Qwen/Qwen3-4B-Instruct-2507")
    assert await sparks.verbs.busy_with(BIG) is None
    sparks.slow(1)
    await sparks.ended()
    assert await sparks.verbs.busy_with("Qwen/Qwen3-4B-Instruct-2507") is None


async def test_two_fetch_at_a_time_and_the_third_waits(sparks):
    sparks.slow(200)
    await sparks.begin(job_id="d1")
    await sparks.begin(BIG, job_id="d2")
    for job_id in ("d1", "d2"):
        await sparks.until(lambda view: view.step == "fetching", job_id)
    await sparks.begin(HALF, job_id="d3")
    third = await sparks.until(lambda view: view.message.startswith("Waiting: two"), "d3")
    assert third.step == "checking"
    listed = await sparks.verbs.latest(ListDownloads())
    assert {view.id for view in listed.running} == {"d1", "d2", "d3"}
    await sparks.verbs.cancel(CancelJob(id="d3", requested_by="Bob"))
    assert (await sparks.ended("d3")).state is JobState.CANCELLED
    await sparks.begin(HALF, job_id="d4")
    await sparks.until(lambda view: view.message.startswith("Waiting: two"), "d4")
    await sparks.verbs.cancel(CancelJob(id="d1", requested_by="Bob"))
    await sparks.ended("d1")
    await sparks.until(lambda view: view.step == "fetching", "d4")
    for job_id in ("d2", "d4"):
        await sparks.verbs.cancel(CancelJob(id=job_id, requested_by="Bob"))
        assert (await sparks.ended(job_id)).state is JobState.CANCELLED


class TestRefusals:
    async def test_what_the_hub_refuses_is_explained(self, sparks):
        rows = (
            (None, GATED, "gated", "is gated: the hub wants to know who asks"),
            (STRANGER, GATED, "gated_no_access", "has no access"),
            ("not-a-token", GATED, "wrong_token", "does not know the token"),
            (None, "no/such-repo", "no_such_repository", "There is no repository"),
        )
        for token, repo, code, words in rows:
            sparks.token = token
            plan = await sparks.verbs.plan(PlanDownload(repo=repo))
            assert any(words in blocker for blocker in plan.blockers)
            await sparks.begin(repo, job_id=code)
            view = await sparks.ended(code)
            assert (view.state, view.cause.code) == (JobState.FAILED, code)
            assert words in view.cause.sentence
            assert view.cause.action
            assert not sparks.folder(repo=repo).exists()

    async def test_a_token_opens_a_gated_repository_and_is_seen_nowhere(self, sparks):
        sparks.token = READER
        await sparks.begin(GATED)
        assert (await sparks.ended()).state is JobState.COMPLETE
        secret = READER.encode()
        home = sparks.cluster.hosts["spark1"].sandbox.home
        for path in home.rglob("*"):
            assert (
                not path.is_file() or path.stat().st_size > 1e6 or secret not in (path.read_bytes())
            )
        for entry in sparks.cluster.journal.of("ssh_command"):
            assert READER not in entry.details["command"]
        told = str(sparks.progress()) + str(sparks.outcomes())
        assert READER not in told

    async def test_without_a_network(self, sparks):
        await sparks.cluster.behave("spark1", "offline")
        await sparks.begin()
        view = await sparks.ended()
        assert view.cause.code == "no_network"
        assert "Spark 1 cannot reach the hub" in view.message

    async def test_a_network_that_breaks_in_the_middle(self, sparks):
        sparks.slow(400)
        await sparks.begin()
        await sparks.until(fetching)
        await sparks.cluster.behave("spark1", "offline")
        view = await sparks.ended()
        assert view.cause.code == "no_network"

    async def test_without_the_program(self, sparks):
        programs = sparks.cluster.hosts["spark1"].sandbox.home / ".local" / "bin"
        for program in programs.iterdir():
            program.unlink()
        await sparks.begin()
        view = await sparks.ended()
        assert view.cause.code == "no_program"
        assert "neither uvx nor hf" in view.message

    async def test_a_full_disk_before(self, sparks):
        await sparks.cluster.behave("spark1", "disk_full")
        plan = await sparks.verbs.plan(PlanDownload(repo="Qwen/Qwen3-4B-Instruct-2507"))
        assert any("Spark 1 has not enough room: 8.1 GB" in text for text in plan.blockers)
        assert plan.places[0].free_after_bytes < 0
        await sparks.begin()
        view = await sparks.ended()
        assert view.cause.code == "no_space"
        assert not sparks.folder().exists()

    async def test_a_disk_that_fills_up_in_the_middle(self, sparks):
        sparks.slow(400)
        await sparks.begin()
        await sparks.until(fetching)
        await sparks.cluster.behave("spark1", "disk_full")
        view = await sparks.ended()
        assert view.cause.code in {"disk_low", "disk_full"}
        assert "Delete a model" in view.cause.action
        assert sparks.running() == []

    async def test_an_unknown_spark_and_an_unknown_download(self, sparks):
        with pytest.raises(NotFoundError, match="spark7"):
            await sparks.verbs.start(StartDownload(repo="a/b", hosts=["spark7"]))
        with pytest.raises(NotFoundError):
            await sparks.verbs.get(GetJob(id="nothing"))

    async def test_redis_away_refuses(self, sparks):
        sparks.store.away = True
        with pytest.raises(UnavailableError):
            await sparks.begin()
        sparks.store.away = False


class TestTheOtherSpark:
    async def test_one_that_is_away_gets_its_copy_later(self, sparks, small):
        await sparks.cluster.behave("spark2", "unreachable")
        await sparks.begin(small, "spark1", "spark2")
        view = await sparks.ended()
        assert (view.state, view.cause.code) == (JobState.FAILED, "host_unreachable")
        assert "only the copy is left" in view.cause.action
        assert sparks.weights("spark1") == SMALL_BYTES
        await sparks.cluster.behave("spark2", "ok")
        await asyncio.sleep(0.3)
        await sparks.begin(small, "spark1", "spark2", job_id="d2")
        assert (await sparks.ended("d2")).state is JobState.COMPLETE
        assert sparks.weights("spark2") == SMALL_BYTES

    async def test_when_nobody_answers(self, sparks, small):
        await sparks.cluster.behave("all", "unreachable")
        await sparks.begin(small, "spark1", "spark2")
        view = await sparks.ended()
        assert view.cause.sentence == "No Spark that shall have it answers."

    async def test_the_second_fetches_when_the_first_is_away(self, sparks, small):
        await sparks.cluster.behave("spark1", "unreachable")
        await sparks.begin(small, "spark1", "spark2")
        view = await sparks.ended()
        assert sparks.weights("spark2") == SMALL_BYTES
        assert view.cause.code == "host_unreachable"

    async def test_without_rsync_it_fetches_too_and_says_so(self, sparks, small):
        (sparks.cluster.hosts["spark1"].sandbox.bin / "rsync").write_text("#!/bin/sh\nexit 71\n")
        await sparks.begin(small, "spark1", "spark2")
        view = await sparks.ended()
        assert view.state is JobState.COMPLETE, view
        assert sparks.weights("spark2") == SMALL_BYTES
        assert any("so Spark 2 fetches it too" in str(e["message"]) for e in sparks.progress())
        log = await sparks.verbs.log(GetJob(id="d1"))
        assert sum("Downloaded" in line for line in log.lines) == 2

    async def test_a_copy_that_broke_off_goes_on(self, sparks):
        sparks.slow(160)
        await sparks.begin(ON_FIRST, "spark2")
        await sparks.until(lambda view: view.done_bytes > 5_000_000_000)
        await sparks.verbs.cancel(CancelJob(id="d1", requested_by="Bob"))
        assert (await sparks.ended()).state is JobState.CANCELLED
        assert sparks.running() == []
        sparks.slow(1)
        await sparks.begin(ON_FIRST, "spark2", job_id="d2")
        assert (await sparks.ended("d2")).state is JobState.COMPLETE
        assert sparks.weights("spark2", ON_FIRST) == 23_400_000_000

    async def test_a_full_disk_there(self, sparks, small):
        await sparks.begin(small)
        await sparks.ended()
        await sparks.cluster.behave("spark2", "disk_full")
        await sparks.begin(small, "spark1", "spark2", job_id="d2")
        view = await sparks.ended("d2")
        assert view.cause.code == "no_space"
        assert "Spark 2" in view.message
