"""Reapply, undo and restart of the speech overlay on a simulated Spark, judged by its journal."""

import asyncio
from pathlib import Path

import pytest

from spark_common.contracts.jobs import CancelJob, GetJob, JobState
from spark_common.contracts.speech_models import (
    CANCEL_SPEECH_JOB,
    READ_SPEECH_LOG,
    REAPPLY_SPEECH,
    RESTART_SPEECH,
    UNDO_SPEECH,
)
from spark_common.errors import ConflictError, JobInProgressError, LeaseHeldError
from spark_common.remote import RemoteCommand
from spark_common.testing.wait import until

FILES = ("main.py", "diarizer.py")
STOCK_MAIN = "Stands in for the server of the image"

pytestmark = pytest.mark.connected


async def test_from_the_image_to_our_files_and_back(bench):
    before = await bench.view()
    assert (before.state, before.container_state, before.health.state) == (
        "missing",
        "running",
        "ready",
    )
    assert [(file.name, file.state) for file in before.files] == [
        ("main.py", "drift"),
        ("diarizer.py", "missing"),
    ]
    assert (before.undo, before.blockers, before.job) == (None, [], None)
    with pytest.raises(ConflictError, match="Nothing is kept"):
        await bench.begin(UNDO_SPEECH, "early")

    view = await bench.done(REAPPLY_SPEECH, "one")
    assert (view.state, view.cause) == (JobState.COMPLETE, None), view.cause
    assert view.message == "The speech container on Spark 1 runs our files and is ready."
    steps = [mark.step for mark in view.steps]
    assert steps == [
        "copying", "checking", "keeping", "replacing", "restarting", "waiting", "done",
    ]  # fmt: skip
    written = [entry.details for entry in bench.effects("container_file_written")]
    assert [row["path"] for row in written] == [f"/opt/parakeet/app/{name}" for name in FILES]
    assert {Path(row["path"]).name: row["sha256"] for row in written} == bench.ours
    (restart,) = bench.effects("container_restarted")
    assert (restart.host, restart.details["name"]) == ("spark1", "parakeet-asr")
    # Nothing is installed into the container: the one thing run in it is Python that reads.
    commands = [str(entry.details) for entry in bench.cluster.journal.of("ssh_command")]
    assert not any("pip" in command.split() or "cuda-python" in command for command in commands)
    after = await bench.view()
    assert (after.state, after.restart_needed, after.health.diarizer) == ("in_sync", False, "ready")
    assert {file.name: file.running_sha256 for file in after.files} == bench.ours
    assert after.undo.files == ["main.py"]
    log = await bench.ask(READ_SPEECH_LOG, GetJob(id="one"))
    assert "diarizer.py: was not there" in log.lines
    (action,) = bench.broker.stream("SC_HEALTH").messages.values()
    assert (action.envelope.data["action"], action.envelope.data["ok"]) == ("restart", True)
    (outcome,) = bench.broker.stream("SC_JOB_EVT").messages.values()
    assert (outcome.subject, outcome.envelope.data["action"]) == ("overlay.complete.one", "reapply")

    again = await bench.done(REAPPLY_SPEECH, "two")
    assert again.state is JobState.COMPLETE
    assert bench.restarts == 1, "nothing had to be done"
    assert (await bench.view()).undo.files == ["main.py"]

    undone = await bench.done(UNDO_SPEECH, "three")
    assert (undone.state, undone.cause) == (JobState.COMPLETE, None)
    assert STOCK_MAIN in bench.file("main.py").read_text()
    assert not bench.file("diarizer.py").exists()
    assert bench.restarts == 2
    with pytest.raises(ConflictError, match="already has"):
        await bench.begin(UNDO_SPEECH, "four")


async def test_files_that_do_not_work_are_not_put_in_place_or_give_way_again(bench):
    whole = (bench.shipped / "main.py").read_text(), (bench.shipped / "diarizer.py").read_text()
    bench.ship("diarizer.py", "def broken(:\n")
    view = await bench.done(REAPPLY_SPEECH, "unreadable")
    assert (view.state, view.cause.code) == (JobState.FAILED, "syntax")
    assert "SyntaxError" in view.message
    assert view.message.endswith("Nothing was changed.")
    assert (bench.effects("container_file_written"), bench.restarts) == ([], 0)
    bench.ship("diarizer.py", whole[1])

    async def gave_way(id: str, code: str, restarts: int) -> None:
        await bench.begin(REAPPLY_SPEECH, id)
        if code == "not_ready":
            # Killed on the way back, too.
            await asyncio.wait_for(bench.cut.reached.wait(), 30)
            await bench.live()
        view = await bench.over(id)
        assert (view.state, view.cause.code) == (JobState.FAILED, code), view
        assert view.message.endswith("What ran before runs again and is ready.")
        assert STOCK_MAIN in bench.file("main.py").read_text()
        assert not bench.file("diarizer.py").exists()
        assert bench.restarts == restarts
        after = await bench.view()
        assert (after.health.state, after.state, after.undo) == ("ready", "missing", None)

    # Whole Python, but of another image: seen only when it is started.
    bench.ship("main.py", "import nothing_there\n")
    await gave_way("ends", "ends_at_once", 2)
    bench.ship("main.py", whole[0])
    bench.speech.overlay_fails = "OSError: no such model"
    bench.cut.at("back", "after")
    await gave_way("fails", "not_ready", 4)
    await bench.cluster.behave("spark1", "disk_full")
    full = await bench.done(REAPPLY_SPEECH, "full")
    assert full.cause.code == "disk_full"
    assert bench.restarts == 4
    assert STOCK_MAIN in bench.file("main.py").read_text()


async def test_it_is_never_restarted_while_something_is_in_the_way(bench):
    bench.obstacles.reason = "a swap to gpt-oss runs"
    await bench.begin(REAPPLY_SPEECH, "one")

    async def waits() -> bool:
        return "a swap to gpt-oss runs" in (await bench.job("one")).message

    await until(waits, "it waits")
    assert (await bench.view()).blockers == ["A swap to gpt-oss runs."]
    with pytest.raises(JobInProgressError):
        await bench.begin(RESTART_SPEECH, "two")
    assert bench.effects("container_file_written") == []
    await bench.cluster.behave("spark1", "unreachable")
    bench.obstacles.reason = None

    async def misses_the_spark() -> bool:
        return (await bench.job("one")).message.startswith("Waiting for Spark 1")

    await until(misses_the_spark, "it waits for the Spark")
    await bench.cluster.behave("spark1", "ok")
    assert (await bench.over("one")).state is JobState.COMPLETE
    bench.obstacles.reason = "a swap to gpt-oss runs"
    await bench.begin(RESTART_SPEECH, "three")
    await until(lambda: bench.obstacles.asked > 5, "it waits")
    await bench.ask(CANCEL_SPEECH_JOB, CancelJob(id="three", requested_by="Bob"))
    cancelled = await bench.over("three")
    assert (cancelled.state, cancelled.message) == (
        JobState.CANCELLED,
        "Cancelled by Bob. Nothing was changed.",
    )
    assert bench.restarts == 1
    bench.obstacles.refusal = LeaseHeldError("'Bob' holds the cluster")
    with pytest.raises(LeaseHeldError):
        await bench.begin(RESTART_SPEECH, "four")


async def test_each_step_that_disturbs_holds_the_cluster_and_waits_for_whoever_was_faster(bench):
    bench.obstacles.taken_by = "Bob"
    view = await bench.done(REAPPLY_SPEECH, "one")
    assert view.state == JobState.COMPLETE
    assert bench.obstacles.held_for == ["overlay one replacing", "overlay one restarting"]
    assert not bench.obstacles.held_now
    assert bench.restarts == 1


async def test_cancelled_while_it_waits_for_speech_it_goes_back(bench):
    bench.speech.stuck_loading = True
    await bench.begin(REAPPLY_SPEECH, "one")
    await bench.at("one", "waiting")
    await bench.ask(CANCEL_SPEECH_JOB, CancelJob(id="one", requested_by="Bob"))
    # Not before it goes back: else it may be ready first.
    await bench.at("one", "putting_back", "restarting_back", "waiting_back")
    bench.speech.stuck_loading = False
    view = await bench.over("one")
    assert view.state is JobState.CANCELLED
    assert STOCK_MAIN in bench.file("main.py").read_text()
    assert view.message == "Cancelled by Bob. What ran before runs again and is ready."


POINTS = [("keep", "after"), ("put", "torn"), ("start", "after")]
"""Where health is killed: an order to the Spark, before it is given or when it was carried out."""


async def test_killed_at_every_step_it_ends_whole_with_one_restart(bench):
    stock = bench.file("main.py").read_bytes()
    for number, (order, when) in enumerate(POINTS):
        bench.file("main.py").write_bytes(stock)
        bench.file("diarizer.py").unlink(missing_ok=True)
        bench.cut.at(order, when, torn=lambda: bench.file("diarizer.py").unlink())
        await bench.begin(REAPPLY_SPEECH, f"cut-{number}")
        await asyncio.wait_for(bench.cut.reached.wait(), 30)
        await bench.live()
        view = await bench.over(f"cut-{number}")
        assert (view.state, view.cause) == (JobState.COMPLETE, None), (order, when, view)
        assert bench.restarts == number + 1, (order, when)
        after = await bench.view()
        assert (after.state, after.restart_needed, after.undo.files) == (
            "in_sync",
            False,
            ["main.py"],
        ), (order, when)
    bench.cut.at("undo", "after")
    await bench.begin(UNDO_SPEECH, "undo")
    await asyncio.wait_for(bench.cut.reached.wait(), 30)
    await bench.live()
    assert (await bench.over("undo")).state is JobState.COMPLETE
    assert bench.file("main.py").read_bytes() == stock
    assert not bench.file("diarizer.py").exists()


async def test_a_restart_a_container_that_crashes_and_one_that_is_not_there(bench):
    view = await bench.done(RESTART_SPEECH, "one")
    assert (view.state, [mark.step for mark in view.steps]) == (
        JobState.COMPLETE,
        ["restarting", "waiting", "done"],
    )
    assert (bench.restarts, bench.effects("container_file_written")) == (1, [])

    bench.file("main.py").write_text("def broken(:\n")
    await bench.shell.run("spark1", RemoteCommand(argv=("docker", "restart", "parakeet-asr")))

    async def crashes() -> bool:
        view = await bench.view()
        return view.container_state == "restarting" and view.health.state == "away"

    await until(crashes, "it crashes")
    view = await bench.done(REAPPLY_SPEECH, "two")
    assert (view.state, view.cause) == (JobState.COMPLETE, None), view.cause

    await bench.shell.run("spark1", RemoteCommand(argv=("docker", "rm", "-f", "parakeet-asr")))
    view = await bench.view()
    assert (view.state, view.container_state, view.health.state) == ("unknown", None, "away")
    assert "no container parakeet-asr on Spark 1" in view.blockers[0]
    with pytest.raises(ConflictError, match="no container"):
        await bench.begin(REAPPLY_SPEECH, "three")
    await bench.cluster.behave("spark1", "unreachable")
    assert (await bench.view()).blockers
