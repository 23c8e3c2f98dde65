"""What redaction reads from its environment."""

from collections.abc import Mapping
from typing import ClassVar

from spark_common.settings import BusSettings, HttpSettings, RedisSettings, Settings


class RedactionSettings(Settings):
    """Settings of redaction."""

    defaults: ClassVar[Mapping[str, str]] = {"BIND_PORT": "9104"}

    bus: BusSettings
    redis: RedisSettings
    http: HttpSettings
