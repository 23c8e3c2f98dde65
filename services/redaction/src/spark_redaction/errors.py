"""What only redaction refuses, beside the common tree."""

from spark_common.errors import SparkError, UnavailableError


class GoneError(SparkError):
    """It was there; it has expired or was erased."""

    code = "gone"


class TooLargeError(SparkError):
    """More than this service takes at once."""

    code = "too_large"


class LeakSelfCheckError(SparkError):
    """Our own output still held something personal; nothing of it is returned."""

    code = "leak_self_check"


class BusyError(UnavailableError):
    """Everybody is working and the queue is full."""

    code = "busy"
    retryable = True
