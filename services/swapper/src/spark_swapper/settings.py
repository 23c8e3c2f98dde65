"""What the swapper reads from its environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import PositiveInt

from spark_common.settings import (
    BusSettings,
    ClusterSettings,
    HttpSettings,
    RedisSettings,
    Settings,
)
from spark_common.settings.policies import DownloadTimings, GuardSettings, SwapPace
from spark_common.settings.support import EmbedSettings, HubSettings
from spark_swapper.launching.candidate import Candidate
from spark_swapper.loads import deadlines

__all__ = ["GuardSettings", "SwapTimings", "SwapperSettings"]


class SwapTimings(SwapPace):
    """How long a swap may take over what, and what follows from it for one model."""

    def load_deadline(self, candidate: Candidate, learned_seconds: float | None) -> float:
        """Return the seconds that a load of this model may take."""
        return self.load_deadline_seconds or deadlines.load_deadline(
            mode=candidate.mode,
            nodes=len(candidate.hosts),
            weight_bytes=candidate.weight_bytes,
            learned_seconds=learned_seconds,
        )

    def longest_load(self) -> float:
        """Return the seconds that a load of a model nobody knows may take."""
        return self.load_deadline_seconds or deadlines.LONGEST_SECONDS


class SwapperSettings(Settings):
    """Everything the swapper needs to start."""

    defaults: ClassVar[Mapping[str, str]] = {"BIND_PORT": "9101"}

    bus: BusSettings
    redis: RedisSettings
    http: HttpSettings
    cluster: ClusterSettings
    timings: SwapTimings
    downloads: DownloadTimings = DownloadTimings()
    hub: HubSettings = HubSettings()
    hf_token_file: Path | None = None
    """File with the hub's token; read when it is needed, and need not be there."""
    embed: EmbedSettings = EmbedSettings()
    cluster_dir: Path | None = None
    """Files of containers for the Sparks; the folder ``cluster`` of this checkout unless given."""
    guard: GuardSettings = GuardSettings()
    data_dir: Path = Path("data")
    """Folder of the owner's recipes (``models.override.yaml``) and of the logs of swaps."""
    swap_log_mb: PositiveInt = 200
    """Megabytes that all logs of swaps may take on disk; the oldest go first."""
