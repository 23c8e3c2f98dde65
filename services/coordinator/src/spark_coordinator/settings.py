"""What the coordinator reads from its environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from spark_common.settings import BusSettings, Env, HttpSettings, Port, RedisSettings, Settings
from spark_common.settings.policies import (
    HomeSettings,
    KeySettings,
    LeasePolicy,
    RequestLogSettings,
)
from spark_common.settings.support import WebhookSettings


class CoordinatorSettings(Settings):
    """Settings of the coordinator."""

    defaults: ClassVar[Mapping[str, str]] = {"BIND_PORT": "9105"}

    bus: BusSettings
    redis: RedisSettings
    http: HttpSettings
    home: HomeSettings = HomeSettings()
    keys: KeySettings = KeySettings()
    lease: LeasePolicy = LeasePolicy()
    request_log: RequestLogSettings = RequestLogSettings()
    webhook: WebhookSettings = WebhookSettings()
    provisioner_seed_file: Annotated[Path | None, Env("NATS_PROVISIONER_SEED_FILE")] = None
    """Seed of the identity that may create streams; None where the server asks for none."""
    data_dir: Path = Path("data")
    """Folder of its files; may hold ``app_settings.json``, the settings of an older install."""

    gateway_port: Port = 9999
    """Where our own gateway listens: no webhook may lead there."""

    @property
    def provisioner(self) -> BusSettings:
        """The same server as another identity."""
        return BusSettings(url=self.bus.url, seed_file=self.provisioner_seed_file)
