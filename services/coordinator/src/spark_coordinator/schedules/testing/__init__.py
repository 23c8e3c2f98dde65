"""What runs of schedules speak to, as small true things."""

from spark_coordinator.schedules.testing.cluster import FakeCluster
from spark_coordinator.schedules.testing.lease import FakeLease

__all__ = ["FakeCluster", "FakeLease"]
