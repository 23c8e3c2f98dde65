"""coordinator as a process, against real NATS and Redis."""

import shutil
from collections.abc import Mapping

from spark_common.bus.nats import NatsBus
from spark_common.bus.streams import STREAMS
from spark_common.embedded import NatsServer
from spark_common.testing.process import ServiceProcess
from spark_common.testing.service_exam import ServiceExam
from spark_common.testing.wait import until


class TestCoordinator(ServiceExam):
    name = "coordinator"
    module = "spark_coordinator"

    def more_environment(self, nats_server: NatsServer) -> Mapping[str, str]:
        return {
            "NATS_PROVISIONER_SEED_FILE": str(nats_server.settings("provisioner").seed_file),
            "DATA_DIR": str(nats_server.directory.parent / "data"),
        }

    async def test_a_fresh_server_gets_its_streams_without_a_restart(
        self, service: ServiceProcess, nats_server: NatsServer, gateway_bus: NatsBus
    ) -> None:
        await service.until_ready()
        before, _, _ = await gateway_bus.bounds("SC_SWAP_CMD")

        await nats_server.terminate()
        for store in nats_server.directory.glob("*"):
            if store.is_dir() and list(store.rglob("SC_SWAP_CMD")):
                shutil.rmtree(store)
        await nats_server.start()

        await service.until_ready()
        await until(lambda: gateway_bus.health().connected, "the gateway is back")
        for spec in STREAMS:
            _epoch, first, last = await gateway_bus.bounds(spec.name)
            assert last - first == -1 or last == 0
        after, _, _ = await gateway_bus.bounds("SC_SWAP_CMD")
        assert after != before
