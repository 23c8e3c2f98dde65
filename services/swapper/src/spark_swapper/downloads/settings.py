"""What downloads read from the environment."""

from spark_common.settings import Seconds, Settings


class DownloadTimings(Settings):
    """How often a download is looked at and how long it is waited for, in seconds."""

    download_poll_seconds: Seconds = 1.0
    download_stall_seconds: Seconds = 60.0
    """No byte for this long is told as a stall."""
    download_patience_seconds: Seconds = 1800.0
    """No byte, or no answer of the Spark, for this long ends the download."""
