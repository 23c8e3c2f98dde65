"""One coordinator's schedules as a process, on a fast clock; its own end is the only way it ends.

Arguments: NATS url, its seed file, Redis url, its password file, epoch of the clock.
"""

import asyncio
import sys
from pathlib import Path

import structlog
from chaos_lab.fast_clock import FastClock

from spark_common.bus.nats import connect_bus
from spark_common.clock import SystemClock
from spark_common.errors import UnavailableError
from spark_common.redis_access import connect_redis, require_redis
from spark_common.settings import BusSettings, RedisSettings
from spark_coordinator.leading import Leadership
from spark_coordinator.leasing import LeasePolicy, wire_lease
from spark_coordinator.schedules.token_box import TokenBox
from spark_coordinator.schedules.wiring import wire_schedules

CLAIM_SECONDS = 1.5
"""How long a leader is believed in after its last word; Redis' own clock is not a fast one."""


async def main(nats: str, seed: str, redis_url: str, password: str, epoch: str) -> None:
    """Run until killed."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    real, clock = SystemClock(), FastClock(float(epoch))
    settings = RedisSettings(url=redis_url, user="spark", password_file=Path(password))
    redis = connect_redis(settings, "coordinator")
    while True:
        try:
            bus = await connect_bus(
                BusSettings(url=nats, seed_file=Path(seed)), "coordinator", real
            )
            await require_redis(redis)
            break
        except UnavailableError:
            await asyncio.sleep(0.1)
    lease = wire_lease(redis=redis, bus=bus, clock=real, policy=LeasePolicy)
    part = wire_schedules(
        box=TokenBox("of all coordinators"),
        redis=redis,
        bus=bus,
        clock=clock,
        lease=lease.leases,
        leadership=Leadership(redis, "schedules", real, CLAIM_SECONDS),
    )
    features = (lease.feature, part.feature)
    verbs = [verb for feature in features for verb in feature.verbs]
    await bus.serve("coordinator", "1.0.0", "schedules of tests", verbs)
    sys.stdout.write("started\n")
    sys.stdout.flush()
    await asyncio.gather(*(loop() for feature in features for loop in feature.background))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
