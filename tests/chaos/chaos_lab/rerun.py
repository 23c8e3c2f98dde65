"""The worst that can happen to a history: all of it is delivered again, with or without records."""

import shutil

from chaos_lab.evidence import provisioner, unfinished
from chaos_lab.plant import SCALED_STREAMS, Plant

from spark_common.embedded import RedisServer
from spark_common.redis_access import connect_redis
from spark_common.testing.wait import until
from spark_swapper.adapters.redis_jobs import RedisJobs


async def settled(plant: Plant) -> None:
    """Return when no durable consumer has anything left to do."""

    async def idle() -> bool:
        async with provisioner(plant) as link:
            return not any((await unfinished(link)).values())

    await until(idle, "everything is delivered and settled", 600)


async def swept(plant: Plant) -> None:
    """Return when no record waits for its turn any more."""
    redis = connect_redis(plant.redis.settings, "checker")
    store = RedisJobs(redis)

    async def none_live() -> bool:
        return not await store.live()

    try:
        await until(none_live, "no record is live", 600)
    finally:
        await redis.aclose()


async def forget_deliveries(plant: Plant) -> None:
    """Make every durable consumer anew: the whole history comes again."""
    async with provisioner(plant) as link:
        for spec in SCALED_STREAMS:
            for consumer in spec.consumers:
                await link.api(f"CONSUMER.DELETE.{spec.name}.{consumer.name}")
    await plant.provision()


async def lose_records(plant: Plant) -> None:
    """Replace the disk of Redis by an empty one, under the same address and password."""
    await plant.end_swapper()
    await plant.redis.kill()
    old = plant.redis
    folder = old.directory.with_name("redis-new")
    folder.mkdir(mode=0o700)
    shutil.copy(old.password_file, folder)
    plant.redis = RedisServer(folder, int(old.url.rpartition(":")[2].partition("/")[0]))
    await plant.redis.start()
    await plant.start_swapper()
