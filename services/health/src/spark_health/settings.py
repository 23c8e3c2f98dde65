"""What health reads from its environment."""

from collections.abc import Mapping
from typing import ClassVar

from spark_common.settings import BusSettings, HttpSettings, RedisSettings, Settings


class HealthSettings(Settings):
    """Settings of health."""

    defaults: ClassVar[Mapping[str, str]] = {"BIND_PORT": "9102"}

    bus: BusSettings
    redis: RedisSettings
    http: HttpSettings
