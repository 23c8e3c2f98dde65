"""nats-server and redis-server as children of ours: for newcomers and for tests."""

from spark_common.embedded.binaries import EmbeddedServerError, MissingServerError
from spark_common.embedded.child import PortTakenError, ServerStartError
from spark_common.embedded.nats_server import NatsServer
from spark_common.embedded.redis_server import RedisServer

__all__ = [
    "EmbeddedServerError",
    "MissingServerError",
    "NatsServer",
    "PortTakenError",
    "RedisServer",
    "ServerStartError",
]
