"""What an owner may sensibly change of how swaps and downloads are carried out."""

from typing import Annotated

from pydantic import Field

from spark_common.settings.load import Knob, Settings
from spark_common.settings.values import Seconds


class SwapPace(Settings):
    """How long a swap may take over what, in seconds. The defaults suit real Sparks."""

    drain_seconds: Annotated[Seconds, Knob(label="Drain")] = 30.0
    """Answers that are being generated may go on for this long."""
    stop_seconds: Annotated[Seconds, Knob(label="Stop")] = 120.0
    """Within this time the container must be gone; docker stop alone takes ten per host."""
    load_deadline_seconds: Annotated[Seconds | None, Knob(label="Longest load")] = None
    """From launch to the first healthy answer; by the size of the model unless given."""
    stall_seconds: Annotated[Seconds, Knob(label="Stalled load")] = 600.0
    """No word and nothing read from disk for this long while loading is a stall; while it
    compiles and computes, twice as long."""
    appear_seconds: Annotated[Seconds, Knob(label="vLLM must appear")] = 30.0
    """Within this time after the launcher is done, vLLM must be seen in its container."""
    poll_seconds: Annotated[Seconds, Knob(label="Between two looks")] = 1.0
    """How long to wait between two looks at a Spark while a swap runs."""


class GuardSettings(Settings):
    """When the memory of a Spark is in danger. The defaults suit real Sparks."""

    memory_floor_gb: Annotated[
        float, Field(ge=0, le=100, allow_inf_nan=False), Knob(label="Memory floor")
    ] = 4.0
    """A load is ended when less memory is available. 97 % in use have frozen Sparks, which is
    3.6 GB left; a recipe that plans to leave less than this gets a floor below its plan. 0 turns
    the watch off."""
    memory_settle_seconds: Annotated[Seconds, Knob(label="Memory comes back")] = 60.0
    """The driver gives memory back late: how long to wait for it after a stop."""
    freeze_seconds: Annotated[Seconds, Knob(label="Frozen Spark")] = 120.0
    """SSH silence that counts as a frozen Spark when its memory was running out."""
    drop_caches: Annotated[bool, Knob(label="Empty the page cache")] = False
    """Empty the page cache before every load, not only when asked."""


class DownloadTimings(Settings):
    """How often a download is looked at and how long it is waited for, in seconds."""

    download_poll_seconds: Annotated[Seconds, Knob(label="Between two looks at a download")] = 1.0
    """How long to wait between two looks at a download."""
    download_stall_seconds: Annotated[Seconds, Knob(label="Stalled download")] = 60.0
    """No byte for this long is told as a stall."""
    download_patience_seconds: Annotated[Seconds, Knob(label="Download given up")] = 1800.0
    """No byte, or no answer of the Spark, for this long ends the download."""
