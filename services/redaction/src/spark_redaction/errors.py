"""What only redaction refuses, beside the common tree."""

from spark_common.errors import SparkError


class LeakSelfCheckError(SparkError):
    """Our own output still held something personal; nothing of it is returned."""

    code = "leak_self_check"
