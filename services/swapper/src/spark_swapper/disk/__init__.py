"""Taking a model off the Sparks' disks: what it frees, whether it may go, and that it is gone."""

from spark_swapper.disk.deletion import DiskDeletion
from spark_swapper.disk.leftovers import Leftovers
from spark_swapper.disk.verbs import DiskVerbs

__all__ = ["DiskDeletion", "DiskVerbs", "Leftovers"]
