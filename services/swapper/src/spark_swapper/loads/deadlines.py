"""How long a load may take before it is given up: it grows with the model. Pure."""

from typing import Literal

GIB = 1024**3
_BASE_SECONDS = {"solo": 900.0, "cluster": 1200.0}
"""Imports, compiling and tuning, which after an image update alone take ten minutes."""
_SECONDS_PER_GIB = 8.0
"""Of the weights on one Spark; five times what a slow load was seen to need."""
_CAP_SECONDS = {"solo": 1800.0, "cluster": 2700.0}
_LEARNED_FACTOR = 1.5
LONGEST_SECONDS = max(_CAP_SECONDS.values())
"""Of a load of which nothing is known."""


def load_deadline(
    *,
    mode: Literal["solo", "cluster"],
    nodes: int,
    weight_bytes: int | None,
    learned_seconds: float | None = None,
) -> float:
    """Return the seconds from launch to the first healthy answer.

    ``weight_bytes`` are of the whole model, None when nobody knows. The cap holds unless this
    model is known to need longer: ``learned_seconds`` is what its swaps usually take.
    """
    cap = _CAP_SECONDS[mode]
    own = cap
    if weight_bytes is not None:
        own = _BASE_SECONDS[mode] + _SECONDS_PER_GIB * weight_bytes / GIB / max(1, nodes)
    learned = _LEARNED_FACTOR * (learned_seconds or 0.0)
    return max(min(own, cap), learned)
