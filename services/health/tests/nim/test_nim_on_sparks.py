"""Installing NIMs on two simulated Sparks: what happens there, what is said, what is not."""

import asyncio
import re
import threading

import pytest
import yaml
from pydantic import SecretStr

from spark_common.contracts.jobs import CancelJob, GetJob, JobState
from spark_common.contracts.nim import GetNimCatalog, InstallNim, RemoveNim
from spark_common.errors import (
    ConflictError,
    IdempotencyConflictError,
    InvalidRequestError,
    JobInProgressError,
    NotFoundError,
)
from spark_sim.faults import Behaviour

pytestmark = [pytest.mark.connected, pytest.mark.asyncio(loop_scope="module")]
IMAGE = "nvcr.io/nim/meta/llama-3.1-8b-instruct-dgx-spark:latest"
KEY = "nvapi-Zm9yLXRlc3RzLW9ubHk_0123456789-abcdef"


async def test_it_is_checked_pulled_started_awaited_and_a_service(bench, secrets_seen, tmp_path):
    seen: set[str] = set()
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.01):
            seen.update(secrets_seen())

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        await bench.install()
        view = await bench.over()
    finally:
        stop.set()
        watching.join()
    assert (view.state, view.cause) == (JobState.COMPLETE, None), view.cause
    assert view.message == "Llama 3.1 8B Instruct runs on port 8010 of Spark 2 and is ready."
    assert [mark.step for mark in view.steps] == [
        "pulling", "preparing", "starting", "waiting", "done",
    ]  # fmt: skip
    assert view.done_bytes == view.total_bytes == 5_251_000_000

    # In this order, with the key on stdin, and the manifest before the first byte of the image.
    kinds = ["docker_login", "docker_manifest", "docker_pull", "image_pulled", "volume_created",
             "volume_given", "container_started"]  # fmt: skip
    order = [entry.kind for entry in bench.cluster.journal.after(0) if entry.kind in kinds]
    assert order == kinds
    (login,) = bench.did("docker_login")
    assert login == {"registry": "nvcr.io", "user": "$oauthtoken", "stdin": True}
    assert bench.did("volume_given") == [{"name": "llama-3-1-8b-cache", "owner": "1000:1000"}]
    shown = await bench.on_spark(
        "docker", "inspect", "-f",
        "{{.HostConfig.RestartPolicy.Name}} {{json .HostConfig.PortBindings}} {{json .Mounts}}",
        "llama-3-1-8b",
    )  # fmt: skip
    assert shown.startswith("unless-stopped ")
    assert '"8000/tcp":[{"HostIp":"","HostPort":"8010"}]' in shown
    assert '"Destination":"/opt/nim/.cache"' in shown

    # The key: in no process, no event, no reply, no record, no journal, no file and no log.
    assert seen == set()
    log = await bench.part.verbs.read_log(GetJob(id=bench.one))
    assert any("Pull complete" in line for line in log.lines)
    assert KEY not in bench.told() + repr(view) + repr(log)
    assert KEY not in repr(await bench.records.get(bench.one))
    assert KEY not in repr(bench.cluster.journal.after(0))
    home = bench.cluster.hosts["spark2"].sandbox.home
    everything = (*home.rglob("*"), *tmp_path.rglob("*"))
    # The weights of the models are sparse and huge.
    files = [one for one in everything if one.is_file() and one.stat().st_size < 5_000_000]
    assert any(f"jobs/{bench.one}/install.log" in str(path) for path in files)
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []
    assert not (home / ".docker").exists()
    assert bench.logins_left() == []

    catalog = await bench.part.verbs.catalog(GetNimCatalog())
    (service,) = catalog.services
    address = bench.sparks.settings.hosts[1].address
    assert (service.name, service.host, service.url) == (
        "llama-3-1-8b", "spark2", f"http://{address}:8010",
    )  # fmt: skip
    rows = yaml.safe_load((bench.data_dir / "nim-services.yaml").read_text())
    assert rows["llama-3-1-8b"]["volume"] == "llama-3-1-8b-cache"
    (probe,) = bench.part.feature.probes()
    assert (probe.target.name, (await probe.look()).state) == ("llama-3-1-8b", "up")
    (outcome,) = bench.broker.stream("SC_JOB_EVT").messages.values()
    assert outcome.subject == f"install.complete.{bench.one}"


async def test_a_process_that_was_killed_is_carried_on_at_any_step(bench):
    bench.pace(40)
    await bench.install()
    for step in ("pulling", "waiting"):
        await bench.at(step)
        await bench.kill()
        bench.pace(400)
        bench.start()
    view = await bench.over()
    assert view.state is JobState.COMPLETE, view.cause
    assert len(bench.did("docker_login")) == len(bench.did("container_started")) == 1
    numbers = [int(n) for n in re.findall(r"'n': (\d+)", bench.told())]
    assert numbers == sorted(set(numbers))


async def test_killed_before_it_began_it_takes_the_key_of_the_settings_or_says_so(bench):
    bench.sparks.cluster.hosts["spark2"].faults.freeze(frozen=True)
    await bench.install()
    await bench.kill()
    bench.sparks.cluster.hosts["spark2"].faults.freeze(frozen=False)
    bench.start()
    view = await bench.over()
    assert view.cause.code in {"key_gone"}
    assert "keeps no key" in view.message
    bench.key = SecretStr(KEY)
    await bench.install(bench.two, ngc_api_key=None)
    assert (await bench.over(bench.two)).state is JobState.COMPLETE


async def test_cancelled_it_leaves_nothing_running_and_keeps_what_came(bench):
    bench.pace(300)
    await bench.install()
    await bench.at("waiting")
    await bench.part.verbs.cancel(CancelJob(id=bench.one, requested_by="Bob"))
    view = await bench.over()
    assert (view.state, view.cause.code) == (JobState.CANCELLED, "cancelled")
    assert "Bob" in view.message
    assert "o such" in await bench.on_spark("docker", "inspect", "llama-3-1-8b")
    assert "llama-3-1-8b-cache" in await bench.on_spark("docker", "volume", "ls")
    assert (await bench.part.verbs.catalog(GetNimCatalog())).services == []
    await bench.on_spark("docker", "rmi", IMAGE)
    bench.pace(20)
    await bench.install(bench.two, requested_by="Bob")
    await bench.at("pulling", bench.two)
    await bench.part.verbs.cancel(CancelJob(id=bench.two))
    assert (await bench.over(bench.two)).state is JobState.CANCELLED
    assert bench.logins_left() == []


@pytest.mark.parametrize(
    ("behaviour", "fields", "code", "words"),
    [
        (Behaviour.BAD_KEY, {}, "bad_key", "did not accept the key"),
        (Behaviour.OK, {"ngc_api_key": "something-else"}, "bad_key", "did not accept the key"),
        (
            Behaviour.OK,
            {"image": "nvcr.io/nim/meta/llama-3.1-8b-instruct:latest"},
            "wrong_architecture",
            "is not built for the arm64 of a Spark: the image is built for amd64",
        ),
        (
            Behaviour.OK,
            {"image": "nvcr.io/nim/meta/no-such-model:latest"},
            "no_such_image",
            "has no image nvcr.io/nim/meta/no-such-model:latest",
        ),
        (Behaviour.OK, {"image": IMAGE.replace("latest", "9.9")}, "no_such_image", "has no image"),
        (
            Behaviour.OK,
            {"image": "nvcr.io/nim/nvidia/early-access:latest"},
            "not_allowed",
            "does not give nvcr.io/nim/nvidia/early-access:latest",
        ),
        (Behaviour.DISK_FULL, {}, "disk_full", "33 GB are needed, 0 GB are free"),
        (Behaviour.OK, {"download_gb": 2000}, "disk_full", "2013 GB are needed"),
        (Behaviour.OK, {"port": 22}, "port_taken", "Port 22 of Spark 2 is in use"),
        (Behaviour.NO_REGISTRY, {}, "registry_unreachable", "could not ask NVIDIA's registry"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused_before_a_byte_of_the_image(
    bench, behaviour, fields, code, words
):
    await bench.cluster.behave("spark2", behaviour)
    await bench.install(**fields)
    view = await bench.over()
    assert view.state is JobState.FAILED
    assert (view.cause.code, words in view.message) == (code, True), view.message
    assert view.cause.action
    assert bench.did("image_pulled") == bench.did("container_started") == []
    assert "o such" in await bench.on_spark("docker", "inspect", "llama-3-1-8b")
    assert "key" not in view.cause.evidence or KEY not in repr(view)
    assert (await bench.part.verbs.catalog(GetNimCatalog())).services == []


async def test_a_container_that_keeps_ending_is_seen_and_taken_away(bench):
    await bench.cluster.behave("spark2", Behaviour.CRASH_LOOP)
    await bench.install()
    view = await bench.over()
    assert view.cause.code == "ends_at_once"
    assert any("illegal memory access" in line for line in view.cause.evidence)
    assert "o such" in await bench.on_spark("docker", "inspect", "llama-3-1-8b")


async def test_a_strangers_container_of_that_name_is_left_alone(bench):
    await bench.on_spark("docker", "run", "-d", "--name", "llama-3-1-8b", "vllm-node", "sleep", "9")
    await bench.install()
    assert (await bench.over()).cause.code == "name_taken"
    assert "vllm-node" in await bench.on_spark("docker", "inspect", "llama-3-1-8b")


async def test_again_it_takes_the_place_of_the_one_that_ran_and_goes_with_its_volume(bench):
    await bench.install()
    await bench.over()
    bench.pace(100)
    await bench.install(bench.two)
    with pytest.raises(JobInProgressError):
        await bench.part.verbs.remove(RemoveNim(name="llama-3-1-8b"))
    with pytest.raises(JobInProgressError):
        await bench.install("three", name="another", port=8099)
    assert (await bench.over(bench.two)).state is JobState.COMPLETE
    assert len(bench.did("container_started")) == 2

    kept = await bench.part.verbs.remove(RemoveNim(name="llama-3-1-8b"))
    assert kept.message == (
        "Llama 3.1 8B Instruct was removed from Spark 2; its volume llama-3-1-8b-cache is kept."
    )
    assert "llama-3-1-8b-cache" in await bench.on_spark("docker", "volume", "ls")
    assert bench.part.feature.probes() == []
    with pytest.raises(NotFoundError):
        await bench.part.verbs.remove(RemoveNim(name="llama-3-1-8b"))

    await bench.install("four")
    assert (await bench.over("four")).state is JobState.COMPLETE
    gone = await bench.part.verbs.remove(RemoveNim(name="llama-3-1-8b", volume=True))
    assert gone.volume_removed
    assert "llama-3-1-8b-cache" not in await bench.on_spark("docker", "volume", "ls")


async def test_speech_has_other_ports_and_variables_and_goes_where_it_is_told(bench):
    await bench.install(entry="parakeet-ctc", host="spark1", name="ears", env={
        "NIM_HTTP_API_PORT": "9000", "NIM_TAGS_SELECTOR": "name=$(id) `id` \"'; rm -rf ~ #\\",
    })  # fmt: skip
    view = await bench.over()
    assert (view.state, view.host, view.what) == (JobState.COMPLETE, "spark1", "ears"), view.cause
    env = await bench.on_spark(
        "docker", "inspect", "-f", "{{json .Config.Env}}", "ears", host="spark1"
    )
    assert "name=$(id) `id`" in env
    assert KEY in env


async def test_what_is_known_to_be_wrong_is_refused_at_once(bench):
    for fields, error in [
        ({"ngc_api_key": None}, InvalidRequestError),
        ({"ngc_api_key": "two words"}, InvalidRequestError),
        ({"entry": "no-such"}, NotFoundError),
        ({"host": "spark9"}, NotFoundError),
        ({"port": 6333}, ConflictError),
        ({"name": "qdrant"}, ConflictError),
        ({"entry": None}, InvalidRequestError),
        ({"env": {"NGC_API_KEY": "x"}}, InvalidRequestError),
    ]:
        with pytest.raises(error) as raised:
            await bench.install(**fields)
        assert "two words" not in str(raised.value)
    assert bench.cluster.journal.of("docker_login") == []
    await bench.install()
    same = await bench.part.verbs.install(
        InstallNim(id=bench.one, entry="llama-3-1-8b", requested_by="Alice")
    )
    assert same.id == bench.one
    with pytest.raises(IdempotencyConflictError):
        await bench.install(port=8099)
    await bench.over()
    await asyncio.sleep(0)
