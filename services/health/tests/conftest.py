"""Real servers on free ports."""

from spark_common.testing.fixtures import nats_server, redis_server

__all__ = ["nats_server", "redis_server"]
