"""The five switches everybody understands, and the flags they stand for. Pure."""

from collections.abc import Sequence

from spark_common.contracts.recipes import Knobs
from spark_swapper.launching.flags import Flag, human_number, merge_flags

LENGTH, SHARE, LOAD, PREFIX, CACHE = (
    "max-model-len",
    "gpu-memory-utilization",
    "load-format",
    "enable-prefix-caching",
    "kv-cache-dtype",
)
FAST = "fastsafetensors"
FIELDS = {
    LENGTH: "max_model_len",
    SHARE: "gpu_memory_utilization",
    LOAD: "fast_load",
    PREFIX: "prefix_caching",
    CACHE: "fp8_kv_cache",
}
"""The knob of a flag."""


def read_knobs(flags: Sequence[Flag]) -> Knobs:
    """Return the knobs as these flags set them; None where they say nothing."""
    found = {flag.key: flag for flag in flags}
    length, share = _value(found.get(LENGTH)), _value(found.get(SHARE))
    load, cache = _value(found.get(LOAD)), _value(found.get(CACHE))
    prefix = found.get(PREFIX)
    tokens = human_number(length) if length else None
    return Knobs(
        max_model_len=tokens if tokens and tokens <= 16_777_216 else None,
        gpu_memory_utilization=_share(share),
        fast_load=None if load is None else load == FAST,
        prefix_caching=None if prefix is None else not _switched_off(prefix),
        fp8_kv_cache=None if cache is None else cache.startswith("fp8"),
    )


def knob_flags(knobs: Knobs, base: Sequence[Flag]) -> tuple[Flag, ...]:
    """Return the flags that turn ``base`` into what the knobs say: only what differs.

    A knob that is None, or says what ``base`` says already, adds nothing.
    """
    before = read_knobs(base)
    found: list[Flag] = []
    if knobs.max_model_len not in {None, before.max_model_len}:
        found.append(Flag(LENGTH, f"--{LENGTH}", (str(knobs.max_model_len),)))
    if knobs.gpu_memory_utilization not in {None, before.gpu_memory_utilization}:
        found.append(Flag(SHARE, f"--{SHARE}", (str(knobs.gpu_memory_utilization),)))
    if knobs.fast_load is not None and knobs.fast_load != bool(before.fast_load):
        # Switched off means vLLM's own loader only where the fast one was on.
        found.append(Flag(LOAD, f"--{LOAD}", (FAST if knobs.fast_load else "auto",)))
    if knobs.prefix_caching not in {None, before.prefix_caching}:
        no = "" if knobs.prefix_caching else "no-"
        found.append(Flag(PREFIX, f"--{no}{PREFIX}"))
    if knobs.fp8_kv_cache is not None and knobs.fp8_kv_cache != bool(before.fp8_kv_cache):
        found.append(Flag(CACHE, f"--{CACHE}", ("fp8" if knobs.fp8_kv_cache else "auto",)))
    return tuple(found)


def further_flags(extra: Sequence[str]) -> tuple[Flag, ...]:
    """Return the flags of an owner's list that no knob can say."""
    return tuple(flag for flag in merge_flags(extra) if not _is_a_knob(flag))


def _is_a_knob(flag: Flag) -> bool:
    if flag.key not in FIELDS:
        return False
    if flag.key == LOAD:
        return _value(flag) in {FAST, "auto"}
    if flag.key == CACHE:
        return _value(flag) in {"fp8", "auto"}
    read = getattr(read_knobs([flag]), FIELDS[flag.key])
    return read is not None


def _value(flag: Flag | None) -> str | None:
    return flag.values[0] if flag is not None and flag.values else None


def _switched_off(flag: Flag) -> bool:
    return flag.spelled.lstrip("-").replace("_", "-").startswith("no-")


def _share(value: str | None) -> float | None:
    try:
        share = float(value) if value is not None else None
    except ValueError:
        return None
    return share if share is not None and 0 < share <= 1 else None
