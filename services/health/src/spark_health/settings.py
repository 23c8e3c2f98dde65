"""What health reads from its environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from spark_common.settings import (
    BusSettings,
    ClusterSettings,
    HttpSettings,
    RedisSettings,
    Settings,
)
from spark_common.settings.policies import RemedySettings
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


class HealthSettings(Settings):
    """Settings of health. Addresses of services are the owner's: what is set there wins."""

    defaults: ClassVar[Mapping[str, str]] = {"BIND_PORT": "9102"}

    bus: BusSettings
    redis: RedisSettings
    http: HttpSettings
    cluster: ClusterSettings
    page: PageSettings = PageSettings()
    parakeet: ParakeetSettings = ParakeetSettings()
    kokoro: KokoroSettings = KokoroSettings()
    magpie: MagpieSettings = MagpieSettings()
    embed: EmbedSettings = EmbedSettings()
    qdrant: QdrantSettings = QdrantSettings()
    matrix_bridge: MatrixBridgeSettings = MatrixBridgeSettings()
    ngc: NgcSettings = NgcSettings()
    remedies: RemedySettings = RemedySettings()
    data_dir: Path = Path("data")
    """Folder of the list of services and of the history of the hardware."""
    cluster_dir: Path | None = None
    """Files for the Sparks; the folder ``cluster`` of this checkout unless given."""
