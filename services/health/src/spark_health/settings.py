"""What health reads from its environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from spark_common.settings import (
    BusSettings,
    ClusterSettings,
    HttpSettings,
    RedisSettings,
    Seconds,
    Settings,
)
from spark_common.settings.support import (
    EmbedSettings,
    KokoroSettings,
    MagpieSettings,
    MatrixBridgeSettings,
    NgcSettings,
    PageSettings,
    ParakeetSettings,
    QdrantSettings,
)


class WatchPace(Settings):
    """How often everything is looked at. Seconds."""

    health_look_seconds: Seconds = 5.0
    """Rest between two looks at one host or service; three that fail make it down."""
    health_patience_seconds: Seconds = 8.0
    """How long a Spark may take to run a command before that look counts as failed."""
    health_hardware_seconds: Seconds = 5.0
    """Rest between two readings of a Spark's hardware, each one round trip."""


class HealthSettings(Settings):
    """Settings of health. Addresses of services are the owner's: what is set there wins."""

    defaults: ClassVar[Mapping[str, str]] = {"BIND_PORT": "9102"}

    bus: BusSettings
    redis: RedisSettings
    http: HttpSettings
    cluster: ClusterSettings
    pace: WatchPace = WatchPace()
    page: PageSettings = PageSettings()
    parakeet: ParakeetSettings = ParakeetSettings()
    kokoro: KokoroSettings = KokoroSettings()
    magpie: MagpieSettings = MagpieSettings()
    embed: EmbedSettings = EmbedSettings()
    qdrant: QdrantSettings = QdrantSettings()
    matrix_bridge: MatrixBridgeSettings = MatrixBridgeSettings()
    ngc: NgcSettings = NgcSettings()
    data_dir: Path = Path("data")
    """Folder of the list of services and of the history of the hardware."""
    cluster_dir: Path | None = None
    """Files for the Sparks; the folder ``cluster`` of this checkout unless given."""
