"""What audio-proxy reads from its environment."""

from collections.abc import Mapping
from typing import ClassVar

from spark_common.settings import BusSettings, HttpSettings, RedisSettings, Settings


class AudioProxySettings(Settings):
    """Settings of audio-proxy."""

    defaults: ClassVar[Mapping[str, str]] = {"BIND_PORT": "9103"}

    bus: BusSettings
    redis: RedisSettings
    http: HttpSettings
