"""audio-proxy as a process, against real NATS and Redis."""

from collections.abc import Mapping
from pathlib import Path

from spark_common.embedded import NatsServer, RedisServer
from spark_common.testing.process import ServiceProcess
from spark_common.testing.service_exam import ServiceExam, service_environment


class TestAudioProxy(ServiceExam):
    name = "audio-proxy"
    module = "spark_audio_proxy"

    def more_environment(self, nats_server: NatsServer) -> Mapping[str, str]:
        return {
            # Nothing listens there: that is no reason not to be ready.
            "SPARK1_HOST": "127.0.0.1",
            "SPARK1_USER": "alice",
            "DATA_DIR": str(nats_server.directory.parent / "data"),
        }

    async def test_it_waits_for_servers_that_start_after_it(
        self, nats_server: NatsServer, redis_server: RedisServer, tmp_path: Path
    ) -> None:
        """It says what is missing, and answers for speech all the same."""
        await nats_server.kill()
        await redis_server.kill()
        environment = {
            **service_environment(self.name, nats_server, redis_server),
            **self.more_environment(nats_server),
        }
        async with ServiceProcess(self.module, environment, tmp_path / "late.log") as service:
            await service.until_waiting_for("nats: ")
            await service.until_waiting_for("redis: ")
            assert (await service.get("/v1/audio/nothing")).json()["error"]["code"] == "not_found"
            await nats_server.start()
            await redis_server.start()
            await service.until_ready()
            # FFmpeg is for those who decode, and for whoever speaks.
            assert "libavcodec" not in Path(f"/proc/{service.pid}/maps").read_text()
