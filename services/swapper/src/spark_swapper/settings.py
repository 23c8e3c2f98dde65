"""What the swapper reads from its environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import PositiveInt, SecretStr

from spark_common.settings import (
    BusSettings,
    ClusterSettings,
    HttpSettings,
    RedisSettings,
    Seconds,
    Settings,
)
from spark_swapper.downloads.settings import DownloadTimings


class SwapTimings(Settings):
    """How long a swap may take over what, in seconds. The defaults suit real Sparks."""

    drain_seconds: Seconds = 30.0
    """Answers that are being generated may go on for this long."""
    stop_seconds: Seconds = 120.0
    """Within this time the container must be gone; docker stop alone takes ten per host."""
    load_deadline_seconds: Seconds = 1800.0
    """From launch to the first healthy answer."""
    stall_seconds: Seconds = 600.0
    """No new log byte for this long while loading is a stall. Compiling is silent for minutes."""
    appear_seconds: Seconds = 30.0
    """Within this time after the launcher is done, vLLM must be seen in its container."""
    poll_seconds: Seconds = 1.0


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
    data_dir: Path = Path("data")
    """Folder of the owner's recipes (``models.override.yaml``) and of the logs of swaps."""
    swap_log_mb: PositiveInt = 200
    """Megabytes that all logs of swaps may take on disk; the oldest go first."""
