"""What every service with a record has in common: its name on the bus, its checks, its closing.

Apart from the rest of the package: who has no Redis need not read its client.
"""

from collections.abc import Awaitable, Callable, Sequence

from redis.asyncio import Redis

from spark_common.bus.port import Bus, Serving
from spark_common.clock import Clock
from spark_common.redis_access import redis_problem
from spark_common.service.about import answer_about, service_version
from spark_common.service.checks import ReadyCheck, bus_check
from spark_common.service.parts import Service


def redis_check(redis: Redis) -> ReadyCheck:
    """Not ready while Redis does not answer."""
    return ReadyCheck("redis", lambda: redis_problem(redis))


async def compose(
    name: str,
    description: str,
    bus: Bus,
    redis: Redis,
    clock: Clock,
    *,
    verbs: Sequence[Serving] = (),
    checks: Sequence[ReadyCheck] = (),
    background: Sequence[Callable[[], Awaitable[None]]] = (),
    warnings: Callable[[], Sequence[str]] = tuple,
) -> Service:
    """Put a service on the bus under its name, with ``about`` beside its own verbs.

    The service owns ``bus`` and ``redis`` from here on; both are closed when this raises.
    """

    async def close() -> None:
        await bus.close()
        await redis.aclose()

    all_checks = (bus_check(bus), redis_check(redis), *checks)
    about = answer_about(name, all_checks, clock, warnings)
    try:
        await bus.serve(name, service_version(name), description, [about, *verbs])
    except BaseException:
        await close()
        raise
    return Service(name, checks=all_checks, background=background, close=close)
