"""The lease and its line: verbs, loops and events."""

from spark_coordinator.leasing.leases import Leases
from spark_coordinator.leasing.policy import LeasePolicy
from spark_coordinator.leasing.wiring import LeasePart, wire_lease

__all__ = ["LeasePart", "LeasePolicy", "Leases", "wire_lease"]
