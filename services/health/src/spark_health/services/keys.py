"""Every Redis key of services. A container is named ``spark1/kokoro``."""

ACTING = "sc:services:acting"
"""Hash: container -> what is being done with it and not told yet (JSON)."""
LAST = "sc:services:last"
"""Hash: service -> what somebody had done with it last (JSON)."""


def owner(container: str) -> str:
    """String: that somebody works on it; runs out by itself when that process dies."""
    return f"sc:services:owner:{container}"


def done(id: str) -> str:
    """String (JSON): how an order with an idempotency key ended; gone after a day."""
    return f"sc:services:done:{id}"
