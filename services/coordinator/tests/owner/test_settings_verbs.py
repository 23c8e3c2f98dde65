"""Settings change as a whole or not at all, from one version to the next, and secrets stay in."""

import asyncio

import pytest
from pydantic import ValidationError
from redis.asyncio import Redis

from spark_common.contracts.owner_settings import READ_OVERLAY, ChangeSettings, ReadOverlay
from spark_common.embedded import RedisServer
from spark_common.errors import ConflictError, InvalidRequestError, UnavailableError
from spark_common.service import answer_about
from spark_common.settings.groups import RuntimeSettings
from spark_common.testing import FakeClock, MemoryBus
from spark_common.testing.wait import until

pytestmark = pytest.mark.connected


async def test_the_owner_wins_over_the_environment_and_can_take_it_back(stack) -> None:
    stack.environment["VLLM_PORT"] = "9000"
    assert (await stack.setting("VLLM_PORT")).value == 9000
    view = await stack.set(VLLM_PORT=8890)
    assert view.version == 1
    port = await stack.setting("VLLM_PORT")
    assert (port.value, port.source, port.default) == (8890, "owner", 8888)
    await stack.set(VLLM_PORT=None)
    port = await stack.setting("VLLM_PORT")
    assert (port.value, port.source) == (9000, "environment")
    assert (await stack.setting("VLLM_IMAGE")).source == "default"


@pytest.mark.parametrize(
    ("values", "secrets", "names"),
    [
        ({"VLLM_PORT": 0, "DRAIN_SECONDS": 5}, {}, ["VLLM_PORT"]),
        ({"VLLM_PROT": 8890, "DRAIN_SECONDS": 5}, {}, ["VLLM_PROT"]),
        ({"VLLM_PORT": "x", "VLLM_IMAGE": "-x"}, {}, ["VLLM_PORT", "VLLM_IMAGE"]),
        ({"NATS_URL": "nats://127.0.0.1"}, {}, ["NATS_URL"]),
        ({"DRAIN_SECONDS": 5}, {"HF_TOKEN": " "}, ["HF_TOKEN"]),
        ({"DRAIN_SECONDS": 5, "HF_TOKEN": "hush"}, {}, ["HF_TOKEN"]),
        ({"DRAIN_SECONDS": 5}, {"VLLM_PORT": "8890"}, ["VLLM_PORT"]),
        ({"DRAIN_SECONDS": 5}, {"NO_SUCH_SECRET": "hush"}, ["NO_SUCH_SECRET"]),
        ({"DRAIN_SECONDS": 5}, {"HF_TOKEN": "hush\nhush"}, ["HF_TOKEN"]),
    ],
)
async def test_one_wrong_part_changes_nothing_and_each_is_named(
    stack, values: dict[str, object], secrets: dict[str, str], names: list[str]
) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        await stack.change(values=values, secrets=secrets)
    problems = refusal.value.details["problems"]
    assert isinstance(problems, list)
    assert [one["name"] for one in problems if isinstance(one, dict)] == names
    assert "hush" not in refusal.value.message + str(problems)
    assert (await stack.view()).version == 0
    assert (await stack.setting("DRAIN_SECONDS")).source == "default"
    assert stack.hints == []


async def test_a_near_name_is_offered(stack) -> None:
    with pytest.raises(InvalidRequestError, match="did you mean VLLM_PORT"):
        await stack.set(VLLM_PROT=1)


async def test_a_secret_is_set_replaced_and_cleared_and_never_seen(
    stack, redis: Redis, capfd: pytest.CaptureFixture[str]
) -> None:
    for word in ("hush-one", "hush-two"):
        view = await stack.change(secrets={"HF_TOKEN": word})
        token = await stack.setting("HF_TOKEN")
        assert (token.value, token.is_set, token.source) == (None, True, "owner")
        assert "hush" not in view.model_dump_json() + str(stack.hints)
        assert await redis.hget("sc:settings:secrets", "HF_TOKEN") == word
    overlay = await stack.asker.call(READ_OVERLAY, ReadOverlay())
    assert overlay.values == {}
    await stack.change(secrets={"HF_TOKEN": None})
    assert (await stack.setting("HF_TOKEN")).is_set is False
    assert await redis.exists("sc:settings:secrets") == 0
    logged = "".join(capfd.readouterr())
    assert "settings.changed" in logged
    assert "hush" not in logged


async def test_what_changed_is_told_by_name_and_only_what_changed(stack) -> None:
    await stack.set(VLLM_PORT=8890, DRAIN_SECONDS=5)
    await stack.set(VLLM_PORT=8890, DRAIN_SECONDS=6)
    view = await stack.set(VLLM_PORT=8890, DRAIN_SECONDS=6)
    assert view.version == 2
    await until(lambda: len(stack.hints) == 2, "both are told")
    assert [(hint["settings_version"], hint["names"]) for hint in stack.hints] == [
        (1, ["DRAIN_SECONDS", "VLLM_PORT"]),
        (2, ["DRAIN_SECONDS"]),
    ]


async def test_two_who_edit_the_same_version_do_not_overwrite_each_other(stack) -> None:
    version = (await stack.view()).version
    await stack.change(values={"DRAIN_SECONDS": 5}, version=version)
    with pytest.raises(ConflictError) as conflict:
        await stack.change(values={"DRAIN_SECONDS": 6}, version=version)
    assert conflict.value.details["version"] == 1
    assert (await stack.setting("DRAIN_SECONDS")).value == 5


async def test_many_at_once_without_a_version_all_come_through(stack) -> None:
    names = ("VLLM_PORT", "PARAKEET_PORT", "KOKORO_PORT", "QDRANT_PORT", "EMBED_PORT")
    changes = [{name: port} for port in range(1000, 1010) for name in names]
    await asyncio.gather(*(stack.set(**change) for change in changes))
    view = await stack.view()
    assert view.version == len(changes)
    assert {one.name for one in view.settings if one.source == "owner"} == set(names)


async def test_the_coordinators_own_settings_are_live(stack) -> None:
    runtime = stack.live.of(RuntimeSettings())
    await stack.set(VLLM_PORT=8890)
    await until(lambda: runtime().vllm_port == 8890, "it heard its own hint")


async def test_warnings_of_everybody_are_shown(stack, redis: Redis) -> None:
    stack.environment |= {"VLLM_PORT": "x", "DRAIN_SECONDS": " "}
    sentence = "STALL_SECONDS is blank; the default is used"
    for name in ("swapper", "gateway"):
        about = answer_about(name, (), FakeClock(), lambda: [sentence])
        await MemoryBus(name, stack.broker).serve(name, "1", "test", [about])
    await redis.hset("sc:settings", mapping={"KOKORO_PORT": "none", "OF_TOMORROW": "1"})
    warnings = (await stack.view()).warnings
    assert f"{sentence} (gateway, swapper)" in warnings
    for name in ("VLLM_PORT", "DRAIN_SECONDS", "KOKORO_PORT", "OF_TOMORROW"):
        assert any(warning.startswith(name) for warning in warnings), name
    assert (await stack.setting("VLLM_PORT")).value == 8888
    assert (await stack.setting("KOKORO_PORT")).source == "default"


async def test_what_everybody_says_of_one_variable_is_said_once_and_over_when_it_is_set(
    stack,
) -> None:
    stack.environment["DRAIN_SECONDS"] = "soon"
    sentences = ["DRAIN_SECONDS is wrong (must be a number); the default is used"]
    about = answer_about("gateway", (), FakeClock(), lambda: sentences)
    await MemoryBus("gateway", stack.broker).serve("gateway", "1", "test", [about])
    assert (await stack.view()).warnings == sentences
    await stack.set(DRAIN_SECONDS=5)
    assert (await stack.view()).warnings == []


async def test_the_overlay_is_only_sent_when_it_is_new(stack) -> None:
    await stack.set(VLLM_PORT=8890)
    first = await stack.asker.call(READ_OVERLAY, ReadOverlay())
    assert (first.version, first.values) == (1, {"VLLM_PORT": "8890"})
    again = await stack.asker.call(READ_OVERLAY, ReadOverlay(known_version=1))
    assert (again.version, again.values) == (1, None)


async def test_redis_away_refuses_and_back_goes_on(stack, redis_server: RedisServer) -> None:
    await stack.set(VLLM_PORT=8890)
    await redis_server.kill()
    with pytest.raises(UnavailableError):
        await stack.set(VLLM_PORT=8891)
    await redis_server.start()

    async def answers() -> bool:
        try:
            return (await stack.setting("VLLM_PORT")).value == 8890
        except UnavailableError:
            return False

    await until(answers, "what was set is still there")


async def test_two_values_of_one_change_are_never_seen_apart_while_redis_is_killed(
    stack, redis_server: RedisServer
) -> None:
    done, changes, over = 0, 0, False

    async def change() -> None:
        nonlocal done, changes
        for number in range(1000, 3000):
            if over:
                return
            try:
                await stack.set(VLLM_PORT=number, KOKORO_PORT=number)
                done = number
                changes += 1
            except UnavailableError:
                await asyncio.sleep(0.02)

    changing = asyncio.create_task(change())
    for round_ in range(3):
        before = done
        await until(lambda before=before: done > before + 5, f"changes go on ({round_})")
        await redis_server.kill()
        await redis_server.start()
    before = done
    await until(lambda: done > before, "and go on after the last kill")
    over = True
    await changing
    owner = await stack.redis.hgetall("sc:settings")
    assert owner["VLLM_PORT"] == owner["KOKORO_PORT"] == str(done)
    assert int(await stack.redis.get("sc:settings:version")) >= changes


async def test_a_change_of_everything_imaginable_is_refused_shortly(stack) -> None:
    with pytest.raises(ValidationError):
        ChangeSettings(values={f"X{number}": 1 for number in range(201)})
    with pytest.raises(InvalidRequestError) as refusal:
        await stack.change(values={f"X{number}": "y" * 1000 for number in range(200)})
    assert len(refusal.value.message) < 20_000
