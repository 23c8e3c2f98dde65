"""Services on simulated Sparks: seen, started, stopped; judged by the journal of effects."""

import asyncio
from dataclasses import replace

import pytest

from spark_common.contracts.services import ReadOwnServices, RemoveService, SaveService
from spark_common.errors import (
    ConflictError,
    IdempotencyConflictError,
    InvalidRequestError,
    JobInProgressError,
    LeaseHeldError,
    NotFoundError,
    OutcomeUnknownError,
    RemoteCommandError,
    SwapInProgressError,
)
from spark_common.events import ServiceAction
from spark_common.remote import RemoteCommand
from spark_common.settings.support import KokoroSettings, PageSettings
from spark_common.subjects import SERVICE_ACTION
from spark_common.testing import MemoryBus
from spark_common.testing.wait import until
from spark_health.services.acting import SCRIPT as ACT
from spark_health.services.boxes import question, read_answer
from spark_health.services.logs import SCRIPT as LOG
from spark_sim.faults import Behaviour

pytestmark = [pytest.mark.connected, pytest.mark.asyncio(loop_scope="module")]
OWNED = "/tmp/h6services-owned"
HOSTILE = [
    f"x; touch {OWNED}", f"$(touch {OWNED})", f"`touch {OWNED}`", "a b", "a\nb", "-v",
    "--format={{.}}", "../../etc", "'; exit 0; '", "x|id", "*", "~", "a" * 300, "é",
]  # fmt: skip


async def test_each_service_is_seen_with_its_container_by_one_question_per_spark(bench):
    for name in ("parakeet", "kokoro", "embeddings", "qdrant"):
        view = await bench.state(name, "running")
        assert view.actions == ["start", "stop", "restart"]
        assert (await bench.look(name)).state == "up", name
    assert (await bench.view("qdrant")).version == "1.15.5"
    assert (await bench.view("kokoro")).version == "0.8.1"
    kokoro = (await bench.view("kokoro")).container
    assert (kokoro.restart_count, kokoro.restart_policy) == (0, "unless-stopped")
    assert kokoro.up_seconds > 10_000
    model = await bench.view("vllm")
    assert (model.actions, model.removable) == ([], False)
    await bench.kill()
    before = len(bench.cluster.journal.of("ssh_command"))
    login = bench.part.registry.services()["kokoro"].login
    await bench.part.boxes.look_now(login)
    asked = bench.cluster.journal.of("ssh_command")[before:]
    assert len(asked) == 1
    assert all(word in asked[0].details["command"] for word in ("kokoro", "parakeet-asr"))


async def test_what_is_hidden_has_no_tile_no_probe_and_no_question(bench):
    await bench.state("kokoro", "running")
    bench.page = PageSettings(disabled_services=("kokoro", "mine"))
    assert "kokoro" not in {one.target.name for one in bench.part.feature.probes()}
    with pytest.raises(NotFoundError, match="DISABLED_SERVICES"):
        await bench.view("kokoro")
    with pytest.raises(NotFoundError):
        await bench.act("kokoro", "stop")
    with pytest.raises(ConflictError, match="DISABLED_SERVICES"):
        await bench.save("mine", kind="http", port=8188)
    login = bench.part.registry.services()["parakeet"].login
    await bench.part.boxes.look_now(login)
    command = str(bench.cluster.journal.of("ssh_command", "spark1")[-1].details["command"])
    assert "kokoro" not in command
    assert bench.did("container_stopped") == []


async def test_a_service_is_stopped_started_and_restarted_once_and_told_with_who_and_why(bench):
    await bench.state("kokoro", "running")
    done = await bench.act("kokoro", "stop", reason="too loud, token=abc123")
    assert (done.state, done.message) == ("exited", "Text to speech was stopped on Spark 1.")
    view = await bench.state("kokoro", "exited")
    assert (view.last_action.action, view.last_action.requested_by) == ("stop", "Alice")
    seen = await bench.look("kokoro")
    assert (seen.state, seen.reason) == ("down", "its container does not run (exit code 137)")
    await bench.act("kokoro", "start")
    await bench.act("kokoro", "start", id="again")
    await bench.act("kokoro", "start", id="again")
    first = await bench.state("kokoro", "running")
    await bench.act("kokoro", "restart", id="one")
    await bench.act("kokoro", "restart", id="one")
    assert bench.did("container_restarted") == ["kokoro"]
    assert bench.did("container_started") == ["kokoro"]
    assert bench.did("container_stopped") == ["kokoro", "kokoro"]
    after = await bench.state("kokoro", "running")
    assert after.container.started_at != first.container.started_at
    told = await bench.told()
    assert [one["action"] for one in told] == ["stop", "start", "start", "restart"]
    assert (told[0]["requested_by"], told[0]["host"], told[0]["ok"]) == ("Alice", "spark1", True)
    assert told[0]["reason"].startswith("too loud, token=")
    assert "abc123" not in told[0]["reason"]
    assert bench.looked == ["kokoro"] * 4
    assert len(bench.leases.log) == 4
    assert bench.leases.held_now is None
    with pytest.raises(IdempotencyConflictError):
        await bench.act("kokoro", "stop", id="one")

    async def up() -> bool:
        return (await bench.look("kokoro")).state == "up"

    await until(up, "it answers again")


async def test_what_is_on_the_gpu_is_left_alone_while_somebody_else_holds_the_cluster(bench):
    await bench.state("parakeet", "running")
    bench.leases.holder = "Bob"
    for action in ("restart", "stop", "start"):
        with pytest.raises(LeaseHeldError, match="Bob"):
            await bench.act("parakeet", action)
    with pytest.raises(LeaseHeldError):
        await bench.act("parakeet", "restart", lock_token="Carol")
    assert (await bench.told(), bench.did("container_restarted")) == ([], [])
    await bench.act("kokoro", "restart")
    assert bench.did("container_restarted") == ["kokoro"], "voice takes next to nothing of it"
    await bench.act("parakeet", "restart", lock_token="Bob")
    done = await bench.act("parakeet", "restart", force=True)
    assert bench.did("container_restarted") == ["kokoro", "parakeet-asr", "parakeet-asr"]
    assert "forced" in done.message
    assert bench.leases.log == [], "nothing was taken from Bob"
    bench.leases.holder = None
    await bench.act("parakeet", "restart", force=True)
    assert len(bench.leases.log) == 1
    # Somebody was faster between the look and the lease.
    bench.leases.taken_meanwhile_by = "Bob"
    with pytest.raises(LeaseHeldError, match="Bob"):
        await bench.act("parakeet", "stop")


async def test_nothing_is_touched_during_a_swap_on_that_spark(bench):
    bench.scene.swaps["spark1"] = "a swap to Gemma runs on it"
    with pytest.raises(SwapInProgressError, match="Gemma"):
        await bench.act("kokoro", "stop")
    bench.scene.swaps.clear()
    bench.leases.swap_slips_in = True
    with pytest.raises(SwapInProgressError):
        await bench.act("kokoro", "stop")
    bench.leases.swap_slips_in = False
    assert bench.did("container_stopped") == []
    assert await bench.told() == []
    assert bench.leases.held_now is None
    await bench.act("qdrant", "restart")
    bench.scene.swaps.clear()
    bench.leases.holder = "Bob"
    await bench.act("kokoro", "restart")
    assert bench.did("container_restarted") == ["qdrant", "kokoro"]


async def test_two_who_press_at_once_act_once_and_a_job_on_the_container_is_not_disturbed(bench):
    bench.cluster.hosts["spark1"].pace.speed = 10
    results = await asyncio.gather(
        *(bench.act("kokoro", "restart") for _ in range(4)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in results) == [
        "JobInProgressError", "JobInProgressError", "JobInProgressError", "ServiceActed"
    ]  # fmt: skip
    assert bench.did("container_restarted") == ["kokoro"]
    bench.job = "the files of the speech container are being replaced"
    with pytest.raises(JobInProgressError, match="being replaced"):
        await bench.act("parakeet", "restart")
    assert bench.did("container_restarted") == ["kokoro"]


async def test_a_crash_loop_is_seen_and_a_stop_ends_it(bench):
    await bench.state("kokoro", "running")
    bench.cluster.hosts["spark1"].services.crash("kokoro")

    async def looping() -> bool:
        return (await bench.view("kokoro")).container.crash_loop

    await until(looping, "the loop is seen")
    seen = await bench.look("kokoro")
    assert seen.state == "down"
    assert "ends soon after every start" in seen.reason
    assert (await bench.view("kokoro")).container.recent_restarts >= 3
    bench.cluster.hosts["spark1"].pace.speed = 10
    with pytest.raises(RemoteCommandError, match="see its log"):
        await bench.act("kokoro", "restart")
    assert (await bench.told())[-1]["ok"] is False
    lines = (await bench.log("kokoro", tail=5)).lines
    assert any("no configuration" in line for line in lines)
    bench.cluster.hosts["spark1"].pace.speed = 2000
    await bench.act("kokoro", "stop")
    view = await bench.state("kokoro", "exited")
    assert not view.container.crash_loop


async def test_what_we_restart_ourselves_is_no_crash_loop(bench):
    await bench.state("kokoro", "running")
    began = (await bench.view("kokoro")).container.started_at
    for number in range(4):
        await bench.on_spark("docker", "restart", "kokoro")

        async def seen(before=began) -> bool:
            return (await bench.view("kokoro")).container.started_at != before

        await until(seen, "the new run is seen")
        began = (await bench.view("kokoro")).container.started_at
        action = ServiceAction(
            service="kokoro", host="spark1", action="restart", automatic=True, ok=True,
            requested_by="health", container="kokoro", at=bench.clock.now(),
        )  # fmt: skip
        teller = MemoryBus("health", bench.broker)
        await teller.publish_durable(SERVICE_ACTION, action, id=f"restart-{number}")

    async def forgiven() -> bool:
        return (await bench.view("kokoro")).container.recent_restarts == 0

    await until(forgiven, "nobody wonders")
    assert not (await bench.view("kokoro")).container.crash_loop
    for junk in (b"", b"[]", b'{"data": 1}', b"[" * 100_000):
        bench.part.on_purpose.hear(junk)


async def test_a_docker_that_hangs_is_no_dead_service_and_an_order_is_settled_by_looking(bench):
    await bench.state("kokoro", "running")
    await bench.cluster.behave("spark1", Behaviour.DOCKER_HANG)
    with pytest.raises(OutcomeUnknownError):
        await bench.act("kokoro", "stop")

    async def known() -> bool:
        return (await bench.view("kokoro")).container.problem is not None

    await until(known, "docker is known to hang")
    assert "does not answer" in (await bench.view("kokoro")).container.problem
    assert (await bench.look("kokoro")).state == "up"
    assert (await bench.look("qdrant")).state == "up"
    with pytest.raises(JobInProgressError):
        await bench.act("kokoro", "restart")
    await bench.cluster.behave("spark1", Behaviour.OK)

    async def told() -> bool:
        return bool(await bench.told())

    await until(told, "it is told")
    (event,) = await bench.told()
    assert (event["ok"], event["requested_by"]) == (False, "Alice")
    assert "running now" in event["message"]
    assert bench.did("container_stopped") == []


async def test_a_blocked_event_loop_is_busy_with_its_gpu_as_evidence(bench):
    await bench.state("parakeet", "running")
    await bench.cluster.behave("spark1", Behaviour.SPEECH_BUSY)
    probes = {one.target.name: one for one in bench.part.feature.probes()}
    assert (await probes["parakeet"].look()).state == "busy"
    login = bench.part.registry.services()["parakeet"].login
    await bench.part.boxes.look_now(login)
    assert bench.part.boxes.sight(login, "parakeet-asr").gpu_percent == 94
    await bench.cluster.behave("spark1", Behaviour.OK)
    assert (await probes["parakeet"].look()).state == "up"


async def test_what_is_not_there_and_what_docker_refuses_is_said(bench):
    bench.kokoro = KokoroSettings(kokoro_container="other")
    await bench.state("kokoro", "missing")
    assert (await bench.look("kokoro")).state == "up"
    with pytest.raises(ConflictError, match="no container other"):
        await bench.act("kokoro", "start")
    with pytest.raises(ConflictError, match="no container other"):
        await bench.log("kokoro")
    container = bench.cluster.hosts["spark1"].engine.find("kokoro")
    bench.kokoro = KokoroSettings(kokoro_container=container.id[:12])
    with pytest.raises(ConflictError, match="no container"):
        await bench.act("kokoro", "stop")
    bench.kokoro = KokoroSettings(kokoro_container="vllm_node")
    with pytest.raises(InvalidRequestError, match="container of the model"):
        await bench.act("kokoro", "stop")
    with pytest.raises(InvalidRequestError, match="swaps"):
        await bench.act("vllm", "stop")
    await bench.cluster.behave("spark1", Behaviour.UNREACHABLE)
    bench.kokoro = KokoroSettings()
    with pytest.raises(Exception, match="Spark 1"):
        await bench.act("kokoro", "stop")
    assert await bench.told() == []
    assert bench.did("container_stopped") == []


async def test_a_process_that_is_killed_in_the_middle_acts_once_and_the_next_one_tells(bench):
    await bench.kill()
    bench.pace = replace(bench.pace, owned_ms=800)
    bench.start()
    bench.cluster.hosts["spark1"].pace.speed = 10
    await bench.state("kokoro", "running")
    pressed = asyncio.create_task(bench.act("kokoro", "restart", id="mine"))

    async def began() -> bool:
        return bench.did("container_restarted") == ["kokoro"]

    await until(began, "docker began")
    pressed.cancel()
    await bench.kill()
    assert await bench.told() == []
    bench.start()

    async def told() -> bool:
        return bool(await bench.told())

    await until(told, "the next one tells")
    (event,) = await bench.told()
    assert (event["action"], event["ok"], event["requested_by"]) == ("restart", True, "Alice")
    assert (await bench.act("kokoro", "restart", id="mine")).state == "running"
    assert bench.did("container_restarted") == ["kokoro"]


async def test_ones_own_services_are_added_touched_and_taken_from_the_list(bench):
    spark = bench.cluster.hosts["spark2"]
    spark.services.add("my-bot")
    view = await bench.save("bot", kind="bot", container="my-bot", host="spark2", label="My bot")
    assert (view.origin, view.removable, view.url) == ("custom", True, None)
    await bench.state("bot", "running")
    assert (await bench.look("bot")).state == "up"
    await bench.act("bot", "stop")
    assert bench.did("container_stopped") == ["my-bot"]
    assert (await bench.look("bot")).state == "down"
    await bench.save("web", kind="http", port=6333, path="/healthz", host="spark2")
    own = (await bench.part.verbs.own(ReadOwnServices())).entries
    assert [(one["name"], one["kind"]) for one in own] == [("bot", "bot"), ("web", "http")]
    assert SaveService.model_validate(own[1]).path == "/healthz"
    web = await bench.look("web")
    assert (web.state, (await bench.view("web")).actions) == ("up", [])
    for action in (bench.act("web", "stop"), bench.log("web")):
        with pytest.raises(InvalidRequestError, match="no container"):
            await action
    await bench.save("other", kind="vllm", port=8889, container="kokoro")
    assert (await bench.look("other")).state == "down"
    with pytest.raises(InvalidRequestError, match="not touched"):
        await bench.act("other", "stop")
    for name in ("kokoro", "vllm", "matrix-bridge", "spark1"):
        with pytest.raises(ConflictError):
            await bench.save(name, kind="http", port=1)
    with pytest.raises(ConflictError, match="container of the model"):
        await bench.save("x", kind="http", port=1, container="vllm_node")
    with pytest.raises(InvalidRequestError, match="needs a port"):
        await bench.save("x", kind="http")
    removed = await bench.part.verbs.remove(
        RemoveService(name="bot", requested_by="Bob", reason="no need")
    )
    assert "left alone" in removed.message
    assert spark.engine.find("my-bot") is not None
    event = (await bench.told())[-1]
    assert (event["action"], event["service"], event["reason"]) == ("remove", "bot", "no need")
    for name, said in (("kokoro", "DISABLED_SERVICES"), ("nobody", "no service")):
        with pytest.raises((ConflictError, NotFoundError), match=said):
            await bench.part.verbs.remove(RemoveService(name=name))
    (bench.data_dir / "services.yaml").write_text("x: {kind: bot, container: vllm_node}\n")
    assert (await bench.view("x")).actions == []


async def test_a_log_is_followed_without_a_line_twice_and_without_secrets(bench):
    await bench.state("kokoro", "running")
    say = bench.cluster.hosts["spark1"].services.say
    page = await bench.log("kokoro")
    say("kokoro", "NGC_API_KEY=nvapi-0123456789abcdefgh of hidden-word\x1b[31m red\x1b[0m")
    say("kokoro", "10%\r20%\r100%")
    page = await bench.log("kokoro", after=page.next)
    assert page.lines == ["NGC_API_KEY=*** of *** red", "100%"]
    assert not page.skipped
    seen = []
    for burst in range(3):
        for n in range(5):
            say("kokoro", f"line {burst * 5 + n}")
        page = await bench.log("kokoro", after=page.next)
        seen += page.lines
    assert seen == [f"line {n}" for n in range(15)]
    assert (await bench.log("kokoro", after=page.next)).lines == []
    for n in range(30):
        say("kokoro", f"more {n}")
    page = await bench.log("kokoro", after=page.next, tail=10)
    assert (page.skipped, page.lines[0], len(page.lines)) == (True, "more 20", 10)
    say("kokoro", "x" * 10_000)
    assert len((await bench.log("kokoro", tail=1)).lines[0]) < 4100


async def test_a_hostile_name_is_one_word_in_every_shell(bench):
    names = [*HOSTILE, "kokoro"]
    ran = await bench.shell.run("spark1", question(names, gpu=False, patience_seconds=5))
    assert set(read_answer(ran.stdout, names, "Spark 1").boxes) == {"kokoro"}
    for name in HOSTILE:
        for script, words in ((ACT, ("stop", name, "5", "0", "5")), (LOG, (name, "5", "1000", ""))):
            command = RemoteCommand(("sh", "-s", "--", *words), stdin=script)
            done = await bench.shell.run("spark1", command, timeout_seconds=20)
            assert done.exit_code in (78, 90), (name, done)
    assert bench.did("container_stopped") == []
    assert "No such file" in await bench.on_spark("ls", OWNED)
