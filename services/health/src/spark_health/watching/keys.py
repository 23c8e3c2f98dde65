"""Every Redis key of watching."""

STANDINGS = "sc:health:standings"
"""Hash: how each target stands, by its name."""
OUTBOX = "sc:health:outbox"
"""List: transitions written together with the standing they changed."""
MAINTENANCE = "sc:health:maintenance"
"""Hash: announced windows by id."""


def uptime(target: str) -> str:
    """Hash: seconds up and down of a target, by the hour in which they were watched."""
    return f"sc:health:uptime:{target}"
