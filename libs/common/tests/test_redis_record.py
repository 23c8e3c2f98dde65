"""What redis.conf promises: nobody gets in without the password, nothing confirmed is lost."""

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

from spark_common.embedded import RedisServer
from spark_common.embedded.redis_config import render
from spark_common.redis_access import connect_redis
from spark_common.testing.fixtures import redis_server

__all__ = ["redis_server"]

BOTH = "redis.call('SET', KEYS[1], 'a') redis.call('HSET', KEYS[2], 'field', 'b')"


def test_the_default_user_is_off_and_may_replay_every_transaction() -> None:
    """Valkey replays the append-only file as that user, and only warns when it may not."""
    config = render(listen="127.0.0.1:6379", data="/data", password="word")
    assert "user default off resetpass ~* &* +@all" in config.splitlines()


@pytest.mark.connected
async def test_the_default_user_cannot_log_in(redis_server: RedisServer) -> None:
    for credentials in ({}, {"username": "default", "password": ""}):
        client = Redis.from_url(redis_server.url, **credentials)
        with pytest.raises(AuthenticationError):
            await client.get("sc:key")
        await client.aclose()


@pytest.mark.connected
async def test_what_a_script_wrote_together_is_there_after_a_power_cut(
    redis_server: RedisServer,
) -> None:
    client = connect_redis(redis_server.settings, "test")
    await client.eval(BOTH, 2, "sc:text", "sc:hash")
    async with client.pipeline(transaction=True) as together:
        together.set("sc:first", "1").set("sc:second", "2")
        await together.execute()
    await client.aclose()
    await redis_server.kill()
    await redis_server.start()
    client = connect_redis(redis_server.settings, "test")
    assert await client.get("sc:text") == "a"
    assert await client.hgetall("sc:hash") == {"field": "b"}
    assert await client.mget("sc:first", "sc:second") == ["1", "2"]
    await client.aclose()
