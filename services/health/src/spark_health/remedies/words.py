"""What a person reads about a remedy, and what they can press."""

from spark_health.deep.gpu_errors import gpu_errors_in as gpu_errors
from spark_health.deep.ports import Place
from spark_health.remedies.modes import Mode

__all__ = ["OPEN_PRESS", "gpu_errors", "press"]

OPEN_PRESS = (
    "Three restarts within half an hour did not help. Look at its log, then press Restart now; "
    "Try again lets it be restarted by itself as before."
)


def press(place: Place, mode: Mode) -> str:
    """Return what a person can press about a service that is stuck."""
    if mode == "suggest":
        return f"Press Restart now at {place.label}."
    if place.service == "vllm":
        return "Load the model again: press Switch to this with reload."
    if place.host is None:
        return f"{place.label} runs on no Spark of ours: restart it where it runs."
    return f"Restart {place.label} where it runs."
