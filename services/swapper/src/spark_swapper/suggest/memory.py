"""How many Sparks a model needs, which share of their memory, how long a context. Pure."""

import math
from dataclasses import dataclass

from spark_swapper.menu.memory_fit import OVERHEAD, POOLING_OVERHEAD
from spark_swapper.suggest.config import MOST_LAYERS, Config, whole
from spark_swapper.suggest.facts import GIB

CACHE_RESERVE = 8 * GIB
"""Cache that is wanted even when a single request needs less."""
SHARES = (0.7, 0.8, 0.85)
"""What recipes for Sparks use; the last one is for models that need it."""
POOLING_SHARE = 0.05
LONGEST = 262_144
"""Tokens; nobody runs more on a Spark, whatever the model allows."""
_STEP = 1024


@dataclass(frozen=True)
class CacheCost:
    """What one token of context costs."""

    bytes_per_token: int
    divisible: int
    """Among how many Sparks it can be divided."""
    layers: int
    """How many layers keep every token."""

    def on_each(self, nodes: int) -> int:
        """Return bytes per token on each of some Sparks."""
        return math.ceil(self.bytes_per_token / min(nodes, self.divisible))


@dataclass(frozen=True)
class MemoryPlan:
    """Where a model fits. Sizes in bytes."""

    nodes: int
    share: float
    context: int | None
    """The longest context that fits, at most the one asked for; None when none was asked for."""
    needed: int
    """On each Spark: weights, overhead and cache."""
    memory: int
    """Of each Spark."""
    fits: bool
    divided: bool = True
    """Whether the attention heads can be divided among that many Sparks."""


def cache_cost(config: Config, value_bytes: int) -> CacheCost | None:
    """Return what a token costs; None when the configuration does not say enough."""
    total = config.number("num_hidden_layers", "n_layer", "num_layers")
    if total is None or total.value > MOST_LAYERS:
        return None
    layers = _full_layers(config, total.value)
    if rank := config.number("kv_lora_rank"):
        rope = config.number("qk_rope_head_dim")
        width = rank.value + (rope.value if rope else 0)
        return CacheCost(layers * width * value_bytes, 1, layers)
    heads = config.number("num_attention_heads", "n_head")
    kept = config.number("num_key_value_heads", "num_kv_heads", "multi_query_group_num") or heads
    width_of_head = config.number("head_dim", "kv_channels")
    hidden = config.number("hidden_size", "n_embd")
    if kept is None:
        return None
    if width_of_head is not None:
        width = width_of_head.value
    elif hidden is not None and heads is not None:
        width = max(1, hidden.value // heads.value)
    else:
        return None
    return CacheCost(2 * layers * kept.value * width * value_bytes, kept.value, layers)


def plan_memory(
    *,
    weights: int,
    cost: CacheCost | None,
    context: int | None,
    heads: int | None,
    sparks: int,
    memory: int,
) -> MemoryPlan:
    """Return the fewest Sparks that hold weights, overhead and a useful cache."""
    most = int(SHARES[-1] * memory)
    whole_ones = [n for n in range(1, max(sparks, 1) + 1) if heads is None or heads % n == 0]
    base = {n: math.ceil(weights / n) + OVERHEAD for n in whole_ones}
    nodes = next((n for n in whole_ones if base[n] + CACHE_RESERVE <= most), whole_ones[-1])
    fits = base[nodes] + CACHE_RESERVE <= most
    each = cost.on_each(nodes) if cost else None
    wanted = min(context, LONGEST) if context else None
    cache = CACHE_RESERVE
    if each and wanted:
        cache = max(cache, each * wanted)
    needed = base[nodes] + cache
    share = next((share for share in SHARES if needed <= share * memory), SHARES[-1])
    if each and wanted and needed > most:
        room = max(most - base[nodes], CACHE_RESERVE)
        wanted = min(wanted, max(_STEP, room // each // _STEP * _STEP))
    return MemoryPlan(nodes, share, wanted, needed, memory, fits, whole_ones[-1] == max(sparks, 1))


def pooling_share(weights: int, memory: int) -> float:
    """Return the share for a model that only reads: small, and it keeps no long cache."""
    if weights <= GIB:
        return POOLING_SHARE
    steps = math.ceil((weights + POOLING_OVERHEAD) / memory / 0.05)
    return min(max(POOLING_SHARE, round(steps * 0.05, 2)), SHARES[-1])


def _full_layers(config: Config, total: int) -> int:
    """Return how many layers keep every token; the others keep a state or a window."""
    if listed := config.words("layer_types") or config.words("layers_block_type"):
        full = sum(word in {"full_attention", "attention", "hybrid"} for word in listed)
        return full or total
    pattern = config.find("hybrid_override_pattern")
    if pattern and isinstance(pattern[0], str):
        return whole(pattern[0].count("*")) or total
    if every := config.number("full_attention_interval", "attn_layer_period"):
        return max(1, total // every.value)
    return total
