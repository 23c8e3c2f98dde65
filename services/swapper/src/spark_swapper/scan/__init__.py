"""One look at a Spark in one round trip: models on the disk, free space, memory, name."""

from spark_swapper.scan.reply import DiskCopy, Look, look_command, read_look

__all__ = ["DiskCopy", "Look", "look_command", "read_look"]
