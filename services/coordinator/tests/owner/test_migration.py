"""Old values come over once, whatever happens on the way, and never again."""

import json
from datetime import timedelta

import pytest
from redis.exceptions import RedisError

from spark_common.embedded import RedisServer
from spark_common.owner import TABLE
from spark_common.testing.wait import until
from spark_coordinator.owner.migration import UnreadableError, old_values, read_old


@pytest.mark.parametrize(
    ("document", "values", "secrets", "left"),
    [
        ({"VLLM_PORT": "8890"}, {"VLLM_PORT": "8890"}, {}, []),
        (
            {"VLLM_PORT": 8890, "DROP_CACHES": True},
            {"VLLM_PORT": "8890", "DROP_CACHES": "true"},
            {},
            [],
        ),
        ({"vllm_port": 8890}, {"VLLM_PORT": "8890"}, {}, []),
        ({"settings": {"VLLM_PORT": "8890"}}, {"VLLM_PORT": "8890"}, {}, []),
        ({"VLLM_PORT": {"value": 8890, "type": "int"}}, {"VLLM_PORT": "8890"}, {}, []),
        ({"DISABLED_SERVICES": ["magpie"]}, {"DISABLED_SERVICES": "magpie"}, {}, []),
        ({"NGC_API_KEY": "hush"}, {}, {"NGC_API_KEY": "hush"}, []),
        ({"NGC_API_KEY": 4711}, {}, {"NGC_API_KEY": "4711"}, []),
        ({"NGC_API_KEY": True}, {}, {}, ["NGC_API_KEY"]),
        ({"VLLM_PORT": "", "NGC_API_KEY": "", "KOKORO_HOST": None}, {}, {}, []),
        ({"VLLM_PORT": "soon", "KOKORO_PORT": 1}, {"KOKORO_PORT": "1"}, {}, ["VLLM_PORT"]),
        ({"THEME": "dark"}, {}, {}, ["THEME"]),
        ({"VLLM_PORT": [1]}, {}, {}, ["VLLM_PORT"]),
        ({}, {}, {}, []),
    ],
)
def test_what_an_old_file_has(document, values, secrets, left):
    old = old_values(document, TABLE)
    assert (old.change.values, old.change.secrets) == (values, secrets)
    assert [one.name for one in old.left_behind] == left
    assert "hush" not in str(old.left_behind)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '"x"', "[" * 100_000, "\udc00", "{" + '"a":{' * 900]
)
def test_a_file_that_cannot_be_read_is_said_and_not_believed(tmp_path, text):
    (tmp_path / "app_settings.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(UnreadableError, match=r"app_settings\.json"):
        read_old(tmp_path, TABLE)


@pytest.mark.connected
class TestMigrating:
    @pytest.fixture
    def old_install(self, old_file):
        content = {"VLLM_PORT": 8890, "NGC_API_KEY": "hush", "THEME": "dark", "KOKORO_PORT": "x"}
        old_file.write_text(json.dumps(content))

    async def migrated(self, stack):
        async def done():
            return await stack.redis.exists("sc:settings:migrated") == 1

        await until(done, "it is migrated")

    async def test_values_come_over_and_what_does_not_is_told(self, old_install, stack):
        await self.migrated(stack)
        assert (await stack.setting("VLLM_PORT")).value == 8890
        assert (await stack.setting("NGC_API_KEY")).is_set
        warnings = (await stack.view()).warnings
        assert any("THEME was not taken over" in warning for warning in warnings)
        assert any("KOKORO_PORT was not taken over" in warning for warning in warnings)
        assert "hush" not in str(warnings)
        assert await stack.redis.get("sc:settings:version") == "1"
        await stack.set(KOKORO_PORT=1)
        assert not any("KOKORO_PORT" in warning for warning in (await stack.view()).warnings)
        await stack.clock.advance(timedelta(days=31).total_seconds())
        assert not any("THEME" in warning for warning in (await stack.view()).warnings)

    async def test_what_the_owner_cleared_does_not_come_back_with_a_restart(
        self, old_install, stack
    ):
        await self.migrated(stack)
        await stack.change(values={"VLLM_PORT": None}, secrets={"NGC_API_KEY": None})
        await stack.stop()
        await stack.start(swapper=False)
        assert (await stack.setting("VLLM_PORT")).source == "default"
        assert not (await stack.setting("NGC_API_KEY")).is_set

    async def test_what_the_owner_set_before_is_not_overwritten(self, stack, old_file):
        await stack.set(VLLM_PORT=1000)
        old_file.write_text('{"VLLM_PORT": 8890, "KOKORO_PORT": 8881}')
        await stack.stop()
        await stack.start(swapper=False)
        await self.migrated(stack)
        assert (await stack.setting("VLLM_PORT")).value == 1000
        assert (await stack.setting("KOKORO_PORT")).value == 8881

    async def test_redis_killed_meanwhile_it_is_all_of_it_or_nothing_and_then_all(
        self, old_install, make_stack, redis, redis_server: RedisServer
    ):
        await redis_server.kill()
        stack = make_stack()
        await stack.start()
        await redis_server.start()

        async def done():
            await stack.clock.advance(1)
            try:
                return await redis.exists("sc:settings:migrated") == 1
            except RedisError:
                return False

        await until(done, "it tries until Redis is back")
        assert await redis.hgetall("sc:settings") == {"VLLM_PORT": "8890"}
        assert await redis.get("sc:settings:version") == "1"

    async def test_two_coordinators_migrate_once(self, old_install, make_stack, redis):
        one, two = make_stack(), make_stack()
        await one.start()
        await two.start()
        await self.migrated(one)
        assert await redis.get("sc:settings:version") == "1"

    async def test_an_unreadable_file_is_told_and_taken_over_once_it_is_corrected(
        self, old_file, make_stack
    ):
        old_file.write_text("{")
        stack = make_stack()
        await stack.start()

        async def told():
            return any("not valid JSON" in one for one in (await stack.view()).warnings)

        await until(told, "it is told")
        old_file.write_text('{"VLLM_PORT": 8890}')
        await stack.stop()
        await stack.start(swapper=False)
        await self.migrated(stack)
        assert (await stack.setting("VLLM_PORT")).value == 8890

    async def test_a_file_it_may_not_read_is_told(self, old_file, make_stack):
        # Not even root reads a folder as a file.
        old_file.mkdir(parents=True)
        stack = make_stack()
        await stack.start()

        async def told():
            return any("cannot be read" in one for one in (await stack.view()).warnings)

        await until(told, "it is told")
