"""health as a process, against real NATS and Redis."""

from collections.abc import Mapping

from spark_common.embedded import NatsServer
from spark_common.testing.service_exam import ServiceExam


class TestHealth(ServiceExam):
    name = "health"
    module = "spark_health"

    def more_environment(self, nats_server: NatsServer) -> Mapping[str, str]:
        folder = nats_server.directory.parent
        return {
            # Nothing listens there: that is no reason not to be ready.
            "SPARK1_HOST": "127.0.0.1",
            "SPARK1_USER": "alice",
            "SPARK1_SSH_PORT": "9",
            "SSH_KEY_PATH": str(folder / "no_key"),
            "SSH_KNOWN_HOSTS": str(folder / "known_hosts"),
            "DATA_DIR": str(folder / "data"),
        }
