"""The Matrix bridge on a simulated Spark: its own user, its update, and how that fails."""

import pytest

from spark_common.contracts.jobs import CancelJob, GetJob, JobState
from spark_common.contracts.services import GetBridge, UpdateBridge
from spark_common.errors import (
    IdempotencyConflictError,
    JobInProgressError,
    NotFoundError,
    SwapInProgressError,
)
from spark_common.settings.support import MatrixBridgeSettings
from spark_common.testing.wait import until
from spark_sim.faults import Behaviour

pytestmark = [pytest.mark.connected, pytest.mark.asyncio(loop_scope="module")]
SETTINGS = MatrixBridgeSettings(matrix_bridge_user="bridge")


@pytest.fixture
def bridge(bench):
    bench.cluster.hosts["spark1"].bridge.install()
    bench.bridge = SETTINGS
    return bench.part.bridge


async def test_it_is_hidden_while_its_user_is_not_set(bench):
    for question in (
        bench.part.bridge.get(GetBridge()),
        bench.part.bridge.update(UpdateBridge()),
        bench.view("matrix-bridge"),
        bench.act("matrix-bridge", "stop"),
    ):
        with pytest.raises(NotFoundError, match="MATRIX_BRIDGE_USER"):
            await question
    assert "matrix-bridge" not in bench.part.registry.services()
    assert "matrix-bridge" not in {one.target.name for one in bench.part.feature.probes()}


async def test_it_is_watched_touched_and_updated_as_its_own_user(bench, bridge):
    view = await bench.state("matrix-bridge", "running")
    assert (view.kind, view.url, view.host) == ("bot", None, "spark1")
    assert (await bench.look("matrix-bridge")).state == "up"
    await bench.act("matrix-bridge", "restart")
    assert bench.did("container_restarted") == ["matrix-bridge"]
    assert (await bench.log("matrix-bridge")).lines[0] == "matrix-bridge is up"
    spark = bench.cluster.hosts["spark1"]
    before = spark.bridge.commit()
    asked = UpdateBridge(requested_by="Alice", reason="new words", id="first")
    assert (await bridge.update(asked)).step == "fetching"
    await bridge.update(asked)
    done = await bench.update_over("first")
    assert (done.state, done.cause) == (JobState.COMPLETE, None), done
    assert done.message.startswith("The Matrix bridge runs its newest commit")
    assert (done.before, done.after) == (before, spark.bridge.commit())
    assert done.before != done.after
    assert [mark.step for mark in done.steps] == ["building", "starting", "checking", "done"]
    assert bench.did("container_started") == ["matrix-bridge"]
    lines = (await bridge.read_log(GetJob(id="first"))).lines
    assert any("Read the room's name" in line for line in lines)
    told = [
        message.envelope.data["lines"]
        for message in bench.broker.stream("SC_JOB_PROGRESS").messages.values()
    ]
    assert any("Built" in line for some in told for line in some)
    event = (await bench.told())[-1]
    assert (event["action"], event["ok"], event["requested_by"]) == ("update", True, "Alice")
    users = {
        one.details["user"]
        for one in bench.cluster.journal.of("ssh_command", "spark1")
        if "matrix-bridge" in str(one.details["command"])
    }
    assert users == {"bridge"}
    assert (await bridge.get(GetBridge())).job.id == "first"
    with pytest.raises(IdempotencyConflictError):
        await bridge.update(UpdateBridge(requested_by="Bob", id="first"))


async def test_it_fails_loudly_and_says_what_still_runs(bench, bridge):
    spark = bench.cluster.hosts["spark1"]
    container = spark.engine.find("matrix-bridge").id

    async def cause(id: str) -> str:
        await bridge.update(UpdateBridge(id=id))
        done = await bench.update_over(id)
        assert done.state is JobState.FAILED
        assert (await bench.told())[-1]["ok"] is False
        return str(done.cause.code)

    (spark.bridge.folder / "bot.py").write_text("mine\n")
    assert await cause("dirty") == "changed_files"
    spark.bridge.install()
    await bench.cluster.behave("spark1", Behaviour.NO_REGISTRY)
    assert await cause("build") == "build_failed"
    await bench.cluster.behave("spark1", Behaviour.OK)
    (spark.bridge.folder / "update.sh").write_text("#!/bin/sh\necho no; exit 3\n")
    (spark.bridge.folder / "update.sh").chmod(0o755)
    assert await cause("own") == "build_failed"
    assert "no" in (await bridge.get_job(GetJob(id="own"))).cause.evidence
    (spark.bridge.folder / "update.sh").unlink()
    bench.bridge = SETTINGS.model_copy(update={"matrix_bridge_dir": "-x; touch y"})
    assert await cause("nowhere") == "no_checkout"
    bench.bridge = SETTINGS
    assert spark.engine.find("matrix-bridge").id == container
    spark.services.crashing.add("matrix-bridge")
    assert await cause("loop") == "does_not_stay"
    spark.services.crashing.clear()


async def test_it_is_capped_refused_during_a_swap_and_cancelled(bench, bridge):
    bench.scene.swaps["spark1"] = "a swap to Gemma runs on it"
    with pytest.raises(SwapInProgressError):
        await bridge.update(UpdateBridge())
    bench.scene.swaps.clear()
    folder = bench.cluster.hosts["spark1"].bridge.folder
    (folder / "update.sh").write_text("#!/bin/sh\necho begun\nsleep 60\n")
    (folder / "update.sh").chmod(0o755)
    await bridge.update(UpdateBridge(id="slow"))

    async def building() -> bool:
        return (await bridge.get_job(GetJob(id="slow"))).step == "building"

    await until(building, "it builds")
    with pytest.raises(JobInProgressError):
        await bridge.update(UpdateBridge(id="other"))
    with pytest.raises(JobInProgressError, match="being updated"):
        await bench.act("matrix-bridge", "stop")
    await bridge.cancel(CancelJob(id="slow", requested_by="Bob"))
    done = await bench.update_over("slow")
    assert (done.state, done.cause.code) == (JobState.CANCELLED, "cancelled")
    assert "sleep 60" not in await bench.on_spark("ps", "ax")

    await bench.kill()
    bench.most_seconds = 1
    bench.start()
    await bench.part.bridge.update(UpdateBridge(id="long"))
    late = await bench.update_over("long")
    assert (late.state, late.cause.code) == (JobState.FAILED, "deadline")
    assert "25 minutes" in late.cause.sentence
