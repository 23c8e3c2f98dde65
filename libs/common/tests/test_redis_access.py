"""Redis as services reach it: quick to give up, never repeating, back by itself."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from spark_common.embedded import RedisServer
from spark_common.errors import UnavailableError
from spark_common.redis_access import connect_redis, patient, redis_problem, require_redis
from spark_common.settings import RedisSettings, SettingsError
from spark_common.testing.fixtures import redis_server
from spark_common.testing.hanging import hanging
from spark_common.testing.wait import within

__all__ = ["redis_server"]


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = connect_redis(redis_server.settings, "example")
    yield client
    await client.aclose()


@pytest.mark.connected
class TestAgainstRedis:
    async def test_texts_come_back_as_texts(self, redis: Redis) -> None:
        await redis.set("sc:example", "Zürich 模型")
        assert await redis.get("sc:example") == "Zürich 模型"

    async def test_it_is_back_by_itself_after_a_restart(
        self, redis: Redis, redis_server: RedisServer
    ) -> None:
        await redis.set("sc:example", "kept")
        await redis_server.kill()
        assert await redis_problem(redis) == "Redis does not answer"
        with pytest.raises(UnavailableError, match="Redis does not answer"):
            await require_redis(redis)
        await redis_server.start()
        assert await redis_problem(redis) is None
        assert await redis.get("sc:example") == "kept"

    async def test_a_start_that_meets_no_redis_may_be_tried_again(
        self, redis: Redis, redis_server: RedisServer
    ) -> None:
        async def build() -> str:
            return str(await redis.echo("built"))

        assert await patient(build)() == "built"
        await redis_server.kill()
        with pytest.raises(UnavailableError, match="cannot connect yet"):
            await patient(build)()

    async def test_a_redis_that_hangs_holds_nobody_for_long(
        self, redis: Redis, redis_server: RedisServer
    ) -> None:
        await require_redis(redis)
        assert redis_server.pid is not None

        async def held() -> float:
            began = time.monotonic()
            with pytest.raises(RedisError):
                await redis.incr("sc:count")
            return time.monotonic() - began

        with hanging(redis_server.pid):
            await within(2.5, held)
        assert await redis_problem(redis) is None

    async def test_a_write_whose_answer_is_late_is_never_repeated(
        self, redis: Redis, redis_server: RedisServer
    ) -> None:
        assert redis_server.pid is not None
        failures = 0
        for _ in range(3):
            await require_redis(redis)
            with hanging(redis_server.pid):
                try:
                    await redis.incr("sc:count")
                except RedisError:
                    failures += 1
        assert failures == 3
        assert int(await redis.get("sc:count")) <= 3

    async def test_many_callers_wait_for_a_connection_instead_of_failing(
        self, redis: Redis
    ) -> None:
        await asyncio.gather(*(redis.incr("sc:count") for _ in range(200)))
        assert await redis.get("sc:count") == "200"

    async def test_a_wrong_password_is_told_apart_from_an_absent_server(
        self, redis_server: RedisServer, tmp_path: Path
    ) -> None:
        wrong = tmp_path / "password"
        wrong.write_text("not it\n")
        settings = redis_server.settings.model_copy(update={"password_file": wrong})
        client = connect_redis(settings, "example")
        problem = await redis_problem(client)
        await client.aclose()
        assert problem is not None
        assert "REDIS_PASSWORD_FILE" in problem


async def test_a_password_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    settings = RedisSettings(url="redis://127.0.0.1:6379/0", password_file=tmp_path / "nowhere")
    with pytest.raises(SettingsError, match=r"^REDIS_PASSWORD_FILE cannot be read: FileNotFound"):
        connect_redis(settings, "example")
