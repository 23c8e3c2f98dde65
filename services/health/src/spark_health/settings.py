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


class WatchPace(Settings):
    """How often everything is looked at. Seconds."""

    health_look_seconds: Seconds = 5.0
    """Rest between two looks at one service; three that fail make it down."""
    health_patience_seconds: Seconds = 8.0
    """How long a Spark may take to run a command before that look counts as failed."""
    health_hardware_seconds: Seconds = 5.0
    """Rest between two readings of a Spark's hardware, each one round trip."""

    # A Spark that is switched off is told within ten seconds, wherever between two looks that
    # happens: the rest, three looks of silence and knocking, and the rests between those.

    @property
    def host_seconds(self) -> float:
        """Rest between two looks at one Spark."""
        return 0.6 * self.health_look_seconds

    @property
    def again_seconds(self) -> float:
        """Between the begin of a look at a Spark that missed and that of the next one."""
        return 0.4 * self.health_look_seconds

    @property
    def again_least_seconds(self) -> float:
        """The rest after a look at a Spark that missed, however long it took."""
        return 0.1 * self.health_look_seconds

    @property
    def silence_seconds(self) -> float:
        """How long a Spark may be silent before somebody knocks, and how long that may take."""
        return 0.1 * self.health_patience_seconds


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
    remedies: RemedySettings = RemedySettings()
    data_dir: Path = Path("data")
    """Folder of the list of services and of the history of the hardware."""
    cluster_dir: Path | None = None
    """Files for the Sparks; the folder ``cluster`` of this checkout unless given."""
