"""The live numbers beside the knobs: what the model takes, what stays free, what fits. Pure."""

from collections.abc import Sequence

from spark_common.contracts.recipes import MemoryHelp
from spark_swapper.guarding.headroom import GIB, USUAL_SHARE, needed_bytes, share_of
from spark_swapper.launching.flags import Flag
from spark_swapper.menu.hosts import Sight
from spark_swapper.menu.memory_fit import (
    USUAL_MEMORY,
    overhead_of,
    smallest_memory,
    weights_on_each,
)
from spark_swapper.recipes import Recipe
from spark_swapper.suggest.config import Config
from spark_swapper.suggest.context import read_context
from spark_swapper.suggest.facts import ModelFiles
from spark_swapper.suggest.memory import cache_cost

TOKENS_PER_PAGE = 650
LEAST_FREE = 6 * GIB
"""Below this the Spark's own programs get too little, and it may freeze."""


def longest_context(files: ModelFiles | None) -> int | None:
    """Return what the model was made for, in tokens, as its files say."""
    return read_context(files, Config(files.config)).value if files and files.config else None


def memory_help(
    recipe: Recipe,
    hosts: Sequence[Sight],
    sights: Sequence[Sight],
    weights: int | None,
    files: ModelFiles | None,
) -> MemoryHelp:
    """Return the numbers for a recipe as it is now.

    ``hosts``: the Sparks it can run on, none when that is not known. ``weights``: bytes of all
    weights. ``files``: the model's configuration, where it could be read.
    """
    sight, measured = smallest_memory(recipe, hosts, sights)
    flags = recipe.flags
    total, share = measured or USUAL_MEMORY, share_of(flags)
    allocated = needed_bytes(share, total)
    on_each = weights_on_each(recipe, weights) if weights else None
    longest = longest_context(files)
    context = recipe.context or longest
    tokens = _tokens(recipe, flags, allocated, on_each, files)
    label = sight.spark.label if sight else "a Spark"
    return MemoryHelp(
        total_bytes=total,
        measured=measured is not None,
        utilization=share,
        allocated_bytes=allocated,
        left_bytes=total - allocated,
        weights_bytes=on_each,
        cache_tokens=tokens,
        pages=context // TOKENS_PER_PAGE if context else None,
        sentences=_sentences(recipe, flags, label, total, allocated, on_each, tokens, context),
        warnings=_warnings(flags, label, total, allocated, on_each, tokens, context, longest),
    )


def _tokens(
    recipe: Recipe,
    flags: Sequence[Flag],
    allocated: int,
    on_each: int | None,
    files: ModelFiles | None,
) -> int | None:
    """Return how many tokens the cache holds; the layers of a pipeline are divided as well."""
    if files is None or on_each is None:
        return None
    half = any(
        flag.key == "kv-cache-dtype" and flag.values and flag.values[0].startswith(("fp8", "int8"))
        for flag in flags
    )
    cost = cache_cost(Config(files.config), 1 if half else 2)
    if cost is None:
        return None
    room = allocated - on_each - overhead_of(flags)
    each = max(1, cost.on_each(recipe.tensor_parallel) // recipe.pipeline_parallel)
    return max(0, room // each)


def _sentences(
    recipe: Recipe,
    flags: Sequence[Flag],
    label: str,
    total: int,
    allocated: int,
    on_each: int | None,
    tokens: int | None,
    context: int | None,
) -> list[str]:
    each = " on each Spark" if recipe.nodes > 1 else ""
    found = [
        f"About {_gb(allocated)} for the model{each}, about {_gb(total - allocated)} for "
        f"everything else on {label}."
    ]
    if not any(flag.key == "gpu-memory-utilization" for flag in flags):
        found.append(f"vLLM takes a share of {USUAL_SHARE:g} unless told otherwise.")
    if on_each is not None:
        found.append(f"The weights take about {_gb(on_each)}{each}.")
    if tokens is not None:
        found.append(f"Beside them the cache holds about {_thousands(tokens)} tokens.")
    if context:
        pages = context // TOKENS_PER_PAGE
        found.append(
            f"A context of {_thousands(context)} tokens is about {_thousands(pages)} pages of text."
        )
    return found


def _warnings(
    flags: Sequence[Flag],
    label: str,
    total: int,
    allocated: int,
    on_each: int | None,
    tokens: int | None,
    context: int | None,
    longest: int | None,
) -> list[str]:
    found = []
    if total - allocated < LEAST_FREE:
        found.append(
            f"Only {_gb(total - allocated)} stay free: {label} may freeze. Lower the share of "
            "the memory."
        )
    if on_each is not None and on_each + overhead_of(flags) > allocated:
        found.append(
            f"The weights alone need about {_gb(on_each + overhead_of(flags))}: raise the share "
            "of the memory, or run it on more Sparks."
        )
    elif tokens is not None and context and tokens < context:
        found.append(
            f"The cache holds fewer tokens than one conversation of {_thousands(context)}: vLLM "
            "will not start. Shorten the context, use an FP8 cache, or raise the share."
        )
    if longest and context and context > longest:
        found.append(
            f"The model was made for {_thousands(longest)} tokens; vLLM refuses a longer context."
        )
    return found


def _gb(size: int) -> str:
    return f"{max(size, 0) / GIB:.0f} GB"


def _thousands(number: int) -> str:
    return f"{number:,}"
