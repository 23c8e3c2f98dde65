"""Installing the embedding server on two simulated Sparks."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from spark_common.clock import SystemClock
from spark_common.contracts.embedding import EmbeddingView, GetEmbedding, InstallEmbedding
from spark_common.contracts.jobs import CancelJob, GetJob, JobState
from spark_common.errors import ConflictError, JobInProgressError
from spark_common.plain_http import plain_client
from spark_common.remote import RemoteCommand
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.settings import ClusterSettings
from spark_common.settings.support import EmbedSettings
from spark_common.tasks import end
from spark_common.testing import MemoryBroker, MemoryBus
from spark_common.testing.job_records import MemoryJobRecords
from spark_common.testing.wait import until
from spark_sim.cluster import SimulatedCluster
from spark_sim.two_sparks import two_sparks
from spark_swapper.installing import source
from spark_swapper.installing.source import NoSourceError, find_source, pack
from spark_swapper.installing.wiring import InstallPart, wire_installs

INSTALL = Path(source.__file__).with_name("install.sh").read_text()
ROOT = Path(__file__).parents[4]


@dataclass
class Bench:
    """A swapper's installations, and the Sparks they are done on."""

    cluster: SimulatedCluster
    settings: ClusterSettings
    shell: SshShell
    http: httpx.AsyncClient
    part: InstallPart
    broker: MemoryBroker
    start: Callable[[], InstallPart]
    running: "list[asyncio.Task[None]]"

    async def install(self, id: str = "one") -> None:
        await self.part.verbs.install(InstallEmbedding(requested_by="Alice", id=id))

    async def over(self, id: str = "one"):
        async def ended() -> bool:
            return (await self.part.verbs.get_job(GetJob(id=id))).over

        await until(ended, "the installation is over")
        return await self.part.verbs.get_job(GetJob(id=id))

    async def view(self) -> EmbeddingView:
        return await self.part.verbs.get(GetEmbedding())

    async def on_spark(self, *argv: str) -> str:
        return (await self.shell.run("spark2", RemoteCommand(argv))).stdout.strip()

    def told(self) -> list[str]:
        return [
            message.envelope.data["step"]
            for message in self.broker.stream("SC_JOB_PROGRESS").messages.values()
            if message.envelope.data["previous_step"] is not None
        ]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with (
        two_sparks(tmp_path, neighbours=True, speed=400) as sparks,
        plain_client() as http,
    ):
        clock, records = SystemClock(), MemoryJobRecords()
        broker = MemoryBroker(clock=clock)
        shell = SshShell(sparks.settings, clock, SshTimes(remember_seconds=0.2))

        def start() -> InstallPart:
            return wire_installs(
                bus=MemoryBus("swapper", broker), shell=shell, http=http, clock=clock,
                hosts=sparks.settings, embed=EmbedSettings, records=records,
                cluster_dir=ROOT / "cluster", poll_seconds=lambda: 0.05,
            )  # fmt: skip

        part = start()
        running = [asyncio.create_task(part.runner.run())]
        made = Bench(sparks.cluster, sparks.settings, shell, http, part, broker, start, running)
        yield made
        await end(made.running)
        await shell.close()


pytestmark = pytest.mark.connected


async def test_it_is_copied_built_started_and_waited_for(bench):
    before = await bench.view()
    assert (before.host, before.state, before.blockers, before.job) == ("spark2", "ok", [], None)
    await bench.install()
    view = await bench.over()
    assert (view.state, view.cause) == (JobState.COMPLETE, None), view.cause
    assert view.message == "The embedding server runs on Spark 2 and is ready."
    steps = [mark.step for mark in view.steps]
    assert steps == ["building", "starting", "waiting", "done"]
    assert bench.told() == steps
    image = await bench.on_spark("docker", "inspect", "-f", "{{.Config.Image}}", "embeddings")
    assert image == view.image
    assert image.startswith("spark-embed:")
    folder = f".spark-control/{image.replace(':', '-')}"
    files = await bench.on_spark("ls", folder, f"{folder}/src/spark_embed")
    assert "Dockerfile" in files
    assert "bge.py" in files
    log = await bench.part.verbs.read_log(GetJob(id="one"))
    assert any("FROM" in line for line in log.lines)
    (outcome,) = bench.broker.stream("SC_JOB_EVT").messages.values()
    assert outcome.subject == "install.complete.one"
    assert outcome.envelope.data["host"] == "spark2"
    assert (await bench.view()).job.id == "one"


async def test_the_same_key_is_the_same_one_and_another_waits(bench):
    await bench.install()
    await bench.install()
    with pytest.raises(JobInProgressError):
        await bench.install("two")
    await bench.over()
    await bench.install("two")
    assert (await bench.over("two")).state is JobState.COMPLETE


async def test_a_container_of_that_name_that_is_something_else_is_left_alone(bench):
    await bench.on_spark("docker", "run", "-d", "--name", "embeddings", "vllm-node", "sleep", "9")
    await bench.install()
    view = await bench.over()
    assert view.cause.code == "name_taken"
    image = await bench.on_spark("docker", "inspect", "-f", "{{.Config.Image}}", "embeddings")
    assert image == "vllm-node"


@pytest.mark.parametrize(
    ("behaviour", "code"), [("no_registry", "build_failed"), ("disk_full", "disk_full")]
)
async def test_a_build_that_fails_says_why(bench, behaviour, code):
    await bench.cluster.behave("spark2", behaviour)
    await bench.install()
    view = await bench.over()
    assert (view.state, view.cause.code) == (JobState.FAILED, code)
    assert view.cause.evidence


async def test_too_little_memory_beside_the_model_is_said_before_anything_is_built(bench):
    spark = bench.cluster.hosts["spark2"]
    spark.memory.foreign_kb = spark.memory.available_kb - 6_000_000
    await bench.install()
    view = await bench.over()
    assert (view.state, view.cause.code) == (JobState.FAILED, "no_memory")
    assert "needs 11 GB of memory, available are" in view.cause.sentence
    assert [mark.step for mark in view.steps] == ["building"]
    # What is replaced makes room itself.
    await bench.on_spark("docker", "tag", "vllm-node", "spark-embed:older")
    await bench.on_spark("docker", "run", "-d", "--name", "embeddings", "spark-embed:older", "x")
    await bench.install("two")
    assert (await bench.over("two")).state is JobState.COMPLETE


async def test_a_cancel_is_heard_while_the_spark_is_away(bench):
    await bench.cluster.behave("spark2", "unreachable")
    await bench.install()

    async def waiting() -> bool:
        view = await bench.part.verbs.get_job(GetJob(id="one"))
        return view.message.startswith("Waiting for Spark 2")

    await until(waiting, "it waits for the Spark")
    await bench.part.verbs.cancel(CancelJob(id="one", requested_by="Bob"))
    view = await bench.over()
    assert (view.state, view.cause.code) == (JobState.CANCELLED, "cancelled")


@pytest.mark.parametrize("before", [True, False])
async def test_a_container_that_ends_again_and_again_gives_way(bench, before):
    if before:
        await bench.on_spark("docker", "tag", "vllm-node", "spark-embed:older")
        await bench.on_spark(
            "docker", "run", "-d", "--name", "embeddings", "spark-embed:older", "x"
        )
    spark = bench.cluster.hosts["spark2"]
    await spark.neighbours.stop()
    await bench.install()

    async def waiting() -> bool:
        return (await bench.part.verbs.get_job(GetJob(id="one"))).step == "waiting"

    await until(waiting, "it waits")
    containers = spark.engine.containers.values()
    next(one for one in containers if one.spec.name == "embeddings").restart_count = 5
    view = await bench.over()
    assert (view.state, view.cause.code) == (JobState.FAILED, "ends_at_once")
    assert ("was started again" in view.cause.sentence) is before


@pytest.mark.parametrize(
    ("mode", "ran", "runs", "code", "after"),
    [
        ("settle", "spark-embed:old", "", 0, "spark-embed:old"),
        ("settle", "spark-embed:new", "", 0, "spark-embed:new"),
        ("settle", "spark-embed:old", "spark-embed:new", 84, "spark-embed:new"),
        ("settle", "", "", 84, ""),
        ("back", "spark-embed:old", "spark-embed:new", 0, "spark-embed:old"),
        ("back", "spark-embed:new", "spark-embed:new", 84, "spark-embed:new"),
        ("back", "spark-embed:new", "", 0, "spark-embed:new"),
        ("back", "", "spark-embed:new", 84, "spark-embed:new"),
    ],
)
def test_what_ran_before_is_started_again_where_nothing_does(
    tmp_path, mode, ran, runs, code, after
):
    """The script with a docker that keeps the one container's image in a file."""
    docker = tmp_path / "bin/docker"
    docker.parent.mkdir()
    docker.write_text(
        "#!/bin/sh\ncase $1 in\n"
        '  inspect) [ -s "$HOME/now" ] && cat "$HOME/now" ;;\n'
        '  rm) : >"$HOME/now" ;;\n'
        '  run) for last; do :; done; echo "$last" >"$HOME/now" ;;\nesac\n'
    )
    docker.chmod(0o755)
    (tmp_path / "now").write_text(runs)
    (tmp_path / "f.before").write_text(ran)
    told = subprocess.run(
        ["sh", "-c", INSTALL, mode, "f", "spark-embed:new", "embeddings", "8081"],
        env={"HOME": str(tmp_path), "PATH": f"{docker.parent}:/usr/bin:/bin"},
        check=False,
    )
    assert told.returncode == code
    assert (tmp_path / "now").read_text().strip() == after


async def test_models_that_are_loaded_are_waited_for_and_a_cancel_ends_that(bench):
    embed = bench.cluster.hosts["spark2"].neighbours.embed
    embed.loading = True
    await bench.install()

    async def waiting() -> bool:
        return (await bench.part.verbs.get_job(GetJob(id="one"))).step == "waiting"

    await until(waiting, "it waits")
    assert (await bench.view()).state == "loading"
    await bench.part.verbs.cancel(CancelJob(id="one", requested_by="Bob"))
    view = await bench.over()
    assert (view.state, view.cause.code) == (JobState.CANCELLED, "cancelled")
    assert "Bob" in view.message


@pytest.mark.parametrize("before", [True, False])
async def test_models_that_cannot_be_used_give_way_to_what_ran_before(bench, before):
    run = ("docker", "run", "-d", "--name", "embeddings", "spark-embed:older", "sleep", "9")
    if before:
        await bench.on_spark("docker", "tag", "vllm-node", "spark-embed:older")
        await bench.on_spark(*run)
    bench.cluster.hosts["spark2"].neighbours.embed.failed = "org/model is not there"
    await bench.install()
    view = await bench.over()
    assert (view.state, view.cause.code) == (JobState.FAILED, "not_ready")
    assert "org/model is not there" in view.cause.sentence
    image = await bench.on_spark("docker", "inspect", "-f", "{{.Config.Image}}", "embeddings")
    assert image == ("spark-embed:older" if before else view.image)
    assert ("was started again" in view.cause.sentence) is before


async def test_a_swapper_that_starts_again_carries_it_on(bench):
    embed = bench.cluster.hosts["spark2"].neighbours.embed
    embed.loading = True
    await bench.install()

    async def built() -> bool:
        return (await bench.part.verbs.get_job(GetJob(id="one"))).step in ("building", "waiting")

    await until(built, "it builds")
    await end(bench.running)
    bench.part = bench.start()
    bench.running[:] = [asyncio.create_task(bench.part.runner.run())]
    embed.loading = False
    assert (await bench.over()).state is JobState.COMPLETE
    builds = [row for row in bench.cluster.journal.after(0) if row.kind == "container_started"]
    assert len(builds) == 1


async def test_without_the_files_or_a_spark_it_says_what_is_in_the_way(bench, tmp_path):
    part = wire_installs(
        bus=MemoryBus("swapper", bench.broker), shell=bench.shell, http=bench.http,
        clock=SystemClock(), hosts=bench.settings,
        embed=lambda: EmbedSettings(embed_host="127.9.9.9"), records=MemoryJobRecords(),
        cluster_dir=tmp_path, poll_seconds=lambda: 0.05,
    )  # fmt: skip
    view = await part.verbs.get(GetEmbedding())
    assert (view.host, view.state) == (None, "away")
    assert "CLUSTER_DIR" in view.blockers[0]
    with pytest.raises(ConflictError, match="CLUSTER_DIR"):
        await part.verbs.install(InstallEmbedding())


def test_the_same_files_are_the_same_bytes(tmp_path):
    folder = find_source(None, "spark-embed")
    first, again = pack(folder), pack(folder)
    assert first == again
    assert len(first.version) == 12
    with pytest.raises(NoSourceError, match="CLUSTER_DIR"):
        find_source(tmp_path, "spark-embed")
