"""Restarts the container of a service that is stuck: seldom, under the lease, with its reason."""
