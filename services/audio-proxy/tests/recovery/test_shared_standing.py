"""What replicas know together, in a real Redis."""

import asyncio

import pytest

from spark_audio_proxy.recovery.redis_standing import RedisStanding
from spark_audio_proxy.recovery.standing import Failed, Standing, advance
from spark_common.embedded import RedisServer
from spark_common.errors import UnavailableError
from spark_common.redis_access import connect_redis


@pytest.mark.connected
async def test_one_writer_wins_and_all_read_the_same(redis_server: RedisServer) -> None:
    clients = [connect_redis(redis_server.settings, "test") for _ in range(2)]
    one, two = (RedisStanding(client) for client in clients)
    ready = await one.read()
    assert ready == Standing()
    suspects = [advance(ready, Failed("wedge", "abc", f"e{n}"), 5.0) for n in range(2)]
    won = await asyncio.gather(
        *(each.change(ready, new) for each, new in zip((one, two), suspects, strict=True))
    )
    assert sorted(won) == [False, True]
    assert await two.read() == suspects[won.index(True)]
    assert await two.change(await one.read(), Standing())
    assert await one.read() == Standing()
    assert await one.wedges("abc") == 0
    assert [await one.count_wedge("abc"), await two.count_wedge("abc")] == [1, 2]
    assert await one.wedges("abc") == 2
    assert 0 < await clients[0].ttl("sc:audio:wedges:abc") <= 24 * 3600
    await clients[0].set("sc:audio:standing", "no JSON")
    assert await one.read() == Standing()
    await redis_server.kill()
    with pytest.raises(UnavailableError):
        await one.read()
    for client in clients:
        await client.aclose()
