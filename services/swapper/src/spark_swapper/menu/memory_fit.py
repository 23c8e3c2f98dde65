"""Whether a model fits its Sparks, from its recipe and their memory. Pure."""

import math
from collections.abc import Sequence

from spark_common.contracts.models import MemoryFit
from spark_swapper.guarding.headroom import CUDA_TOTALS, GIB, needed_bytes, share_of
from spark_swapper.launching.flags import Flag, is_pooling
from spark_swapper.menu.hosts import Sight
from spark_swapper.recipes import Recipe

USUAL_MEMORY = CUDA_TOTALS[0]
"""Of a Spark; used while none told its own."""
OVERHEAD = 6 * GIB
"""Beside weights and cache: activations, graphs, the runtime itself."""
POOLING_OVERHEAD = 2 * GIB
"""The same as OVERHEAD for a model that only reads."""


def overhead_of(flags: Sequence[Flag]) -> int:
    """Return bytes that are needed beside weights and cache."""
    return POOLING_OVERHEAD if is_pooling(flags) else OVERHEAD


def weights_on_each(recipe: Recipe, weights: int) -> int:
    """Return bytes of the weights on each Spark; every data-parallel copy is a whole one."""
    return math.ceil(weights / (recipe.tensor_parallel * recipe.pipeline_parallel))


def smallest_memory(
    recipe: Recipe, hosts: Sequence[Sight], sights: Sequence[Sight]
) -> tuple[Sight | None, int | None]:
    """Return the Spark with the least memory among those it runs on, and its bytes.

    ``hosts``: where it can run now; none: wherever its mode would put it.
    """
    likely = hosts or (sights[: recipe.nodes] if recipe.mode == "cluster" else sights)
    known = [
        (sight, sight.look.memory_total_bytes)
        for sight in likely
        if sight.look and sight.look.memory_total_bytes
    ]
    return min(known, key=lambda pair: pair[1] or 0, default=(None, None))


def fit_of(
    recipe: Recipe, hosts: Sequence[Sight], sights: Sequence[Sight], weights: int | None
) -> MemoryFit:
    """Return how it fits; unknown while no Spark told its memory or nobody knows the size."""
    _, measured = smallest_memory(recipe, hosts, sights)
    total = measured or USUAL_MEMORY
    flags = recipe.flags
    needed = needed_bytes(share_of(flags), total)
    if weights is None:
        return MemoryFit(
            needed_bytes=needed, total_bytes=total, left_bytes=total - needed, verdict="unknown"
        )
    least = weights_on_each(recipe, weights) + overhead_of(flags)
    verdict = "unknown" if measured is None else "good" if least <= needed else "bad"
    needed = max(needed, least)
    return MemoryFit.model_validate(
        {
            "needed_bytes": needed,
            "total_bytes": total,
            "left_bytes": total - needed,
            "verdict": verdict,
        }
    )
