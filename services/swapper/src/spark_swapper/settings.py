"""What the swapper reads from its environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, PositiveInt, SecretStr

from spark_common.settings import (
    BusSettings,
    ClusterSettings,
    HttpSettings,
    RedisSettings,
    Seconds,
    Settings,
)
from spark_swapper.downloads.settings import DownloadTimings
from spark_swapper.launching.candidate import Candidate
from spark_swapper.loads import deadlines


class SwapTimings(Settings):
    """How long a swap may take over what, in seconds. The defaults suit real Sparks."""

    drain_seconds: Seconds = 30.0
    """Answers that are being generated may go on for this long."""
    stop_seconds: Seconds = 120.0
    """Within this time the container must be gone; docker stop alone takes ten per host."""
    load_deadline_seconds: Seconds | None = None
    """From launch to the first healthy answer; by the size of the model unless given."""
    stall_seconds: Seconds = 600.0
    """No word and nothing read from disk for this long while loading is a stall; while it
    compiles and computes, twice as long."""
    appear_seconds: Seconds = 30.0
    """Within this time after the launcher is done, vLLM must be seen in its container."""
    poll_seconds: Seconds = 1.0

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


class GuardSettings(Settings):
    """When the memory of a Spark is in danger. The defaults suit real Sparks."""

    memory_floor_gb: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 4.0
    """A load is ended when less memory is available. 97 % in use have frozen Sparks, which is
    3.6 GB left; a recipe that plans to leave less than this gets a floor below its plan. 0 turns
    the watch off."""
    memory_settle_seconds: Seconds = 60.0
    """The driver gives memory back late: how long to wait for it after a stop."""
    freeze_seconds: Seconds = 120.0
    """SSH silence that counts as a frozen Spark when its memory was running out."""
    drop_caches: bool = False
    """Empty the page cache before every load, not only when asked."""


class SwapperSettings(Settings):
    """Everything the swapper needs to start."""

    defaults: ClassVar[Mapping[str, str]] = {"BIND_PORT": "9101"}

    bus: BusSettings
    redis: RedisSettings
    http: HttpSettings
    cluster: ClusterSettings
    timings: SwapTimings
    downloads: DownloadTimings = DownloadTimings()
    hf_token: SecretStr | None = None
    """For the hub; None: the one that each Spark's user has. Goes over standard input only."""
    hf_token_file: Path | None = None
    """File with the same; read when it is needed, and need not be there."""
    guard: GuardSettings = GuardSettings()
    data_dir: Path = Path("data")
    """Folder of the owner's recipes (``models.override.yaml``) and of the logs of swaps."""
    swap_log_mb: PositiveInt = 200
    """Megabytes that all logs of swaps may take on disk; the oldest go first."""
