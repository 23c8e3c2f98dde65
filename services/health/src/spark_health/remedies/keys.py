"""Every Redis key of remedies. A container is named ``spark1/parakeet-asr``."""

CLAIMS = "sc:remedy:claims"
"""Hash: container -> the restart that was decided and is not told yet (JSON)."""
OUTBOX = "sc:remedy:outbox"
"""List: events that were written together with what they tell of (JSON)."""

LENT = "sc:remedy:lent"
"""Sorted set: orders for which the lease is held, by their last sign of life (ms)."""


def tries(container: str) -> str:
    """Sorted set: automatic restarts of a container, by Redis' own clock in ms."""
    return f"sc:remedy:tries:{container}"


def tries_of(service: str) -> str:
    """Sorted set: the same for one service, whatever it runs in."""
    return f"sc:remedy:tries-of:{service}"


def owner(container: str) -> str:
    """String: who works on the claim; runs out by itself when that process dies."""
    return f"sc:remedy:owner:{container}"


def circuit(container: str) -> str:
    """String (JSON), there while the circuit is open: since when, and why."""
    return f"sc:remedy:circuit:{container}"


def last(container: str) -> str:
    """String: when a restart of a container was over last (epoch ms); gone after half an hour."""
    return f"sc:remedy:last:{container}"


def suggested(container: str) -> str:
    """String: that a restart was suggested already; gone when the service works again."""
    return f"sc:remedy:suggested:{container}"
