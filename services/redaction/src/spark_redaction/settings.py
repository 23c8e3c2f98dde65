"""What redaction reads from its environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import Field

from spark_common.settings import (
    BusSettings,
    HostSettings,
    HostsSettings,
    HttpSettings,
    RedisSettings,
    Settings,
)
from spark_common.settings.load import Environment
from spark_common.settings.redaction import UnknownNamesSettings


class MapSettings(Settings):
    """Where the map of placeholders lies and how much is taken at once."""

    redaction_map_db: Path = Field(
        description="the file of the map of placeholders, for example /data/redaction.db"
    )
    redaction_key_file: Path = Field(
        description="a file with 32 random octets, mode 0600; `sparkctl init` makes it"
    )
    redaction_max_bytes: Annotated[int, Field(ge=1024, le=64 << 20)] = 1 << 20
    """Longest body that is read."""
    redaction_workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Processes that do the work."""
    redaction_waiting: Annotated[int, Field(ge=1, le=10_000)] = 64
    """Texts in work or waiting; one more is refused."""
    redaction_budget_seconds: Annotated[float, Field(gt=0, le=120)] = 5.0
    """Longest one text may take."""


class AskedSparks(HostsSettings):
    """The only machines that are ever asked about a text; none is fine."""

    hosts: tuple[HostSettings, ...] = ()

    @classmethod
    def read(cls, environment: Environment) -> Self:
        """Read them as every service does, where the first one is set."""
        return super().read(environment) if environment.raw("SPARK1_HOST") else cls()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The one with the model server first."""
        return tuple(host.address for host in self.hosts)


class RedactionSettings(Settings):
    """Settings of redaction."""

    defaults: ClassVar[Mapping[str, str]] = {"BIND_PORT": "9104"}

    bus: BusSettings
    redis: RedisSettings
    http: HttpSettings
    map: MapSettings
    sparks: AskedSparks = AskedSparks()
    unknown: UnknownNamesSettings = UnknownNamesSettings()
