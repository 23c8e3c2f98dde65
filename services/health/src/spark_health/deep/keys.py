"""Every Redis key of deep checks."""


def results(service: str) -> str:
    """List: results of a service (JSON), the newest first; trimmed, and gone a week after."""
    return f"sc:deep:results:{service}"


def flight(service: str) -> str:
    """String: who checks a service right now; runs out by itself."""
    return f"sc:deep:flight:{service}"


def well(service: str) -> str:
    """String: when a job of a service went well last."""
    return f"sc:deep:ok:{service}"
