"""Knobs and flags that are not saved, applied to a launch as if they were. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from spark_common.contracts.recipes import Knobs
from spark_common.errors import InvalidRequestError
from spark_swapper.candidate import Candidate
from spark_swapper.flags import Flag, check_element, merge_flags, words
from spark_swapper.launch import LAUNCHERS_OWN

_DECIDED = LAUNCHERS_OWN | {
    "port",
    "host",
    "served-model-name",
    "model",
    "tensor-parallel-size",
    "pipeline-parallel-size",
    "data-parallel-size",
}
"""Flags that the launch decides, whatever anybody writes."""


def with_unsaved(
    candidate: Candidate, knobs: Knobs | None, flags: Sequence[str] | None
) -> Candidate:
    """Return the candidate with these knobs and flags; a flag given later replaces the earlier.

    Raises InvalidRequestError for flags that no argument list can carry.
    """
    if knobs is None and not flags:
        return candidate
    repo, *given = candidate.vllm_argv
    try:
        for element in flags or ():
            check_element(element)
        extra = [flag for flag in merge_flags(flags or ()) if flag.key not in _DECIDED]
    except ValueError as wrong:
        raise InvalidRequestError(f"the flags cannot be read: {wrong}") from wrong
    merged = {flag.key: flag for flag in merge_flags(given)}
    for flag, wanted in _of_knobs(knobs or Knobs()):
        if wanted:
            merged[flag.key] = flag
        elif flag.key in merged and merged[flag.key].values == flag.values:
            del merged[flag.key]
    merged |= {flag.key: flag for flag in extra}
    vllm_argv = (repo, *words(tuple(merged.values())))
    launcher = candidate.launch_argv[: len(candidate.launch_argv) - len(candidate.vllm_argv)]
    return replace(candidate, vllm_argv=vllm_argv, launch_argv=(*launcher, *vllm_argv))


def _of_knobs(knobs: Knobs) -> list[tuple[Flag, bool]]:
    """Return what each knob that is set puts into the arguments (true) or takes out (false)."""
    found: list[tuple[Flag, bool]] = []
    if knobs.max_model_len is not None:
        length = str(knobs.max_model_len)
        found.append((Flag("max-model-len", "--max-model-len", (length,)), True))
    if knobs.gpu_memory_utilization is not None:
        share = f"{knobs.gpu_memory_utilization:g}"
        found.append((Flag("gpu-memory-utilization", "--gpu-memory-utilization", (share,)), True))
    switches = (
        (knobs.fast_load, Flag("load-format", "--load-format", ("fastsafetensors",))),
        (knobs.fp8_kv_cache, Flag("kv-cache-dtype", "--kv-cache-dtype", ("fp8",))),
    )
    found += [(flag, on) for on, flag in switches if on is not None]
    if knobs.prefix_caching is not None:
        # vLLM's own default depends on the model: off has to be said.
        spelled = (
            "--enable-prefix-caching" if knobs.prefix_caching else "--no-enable-prefix-caching"
        )
        found.append((Flag("enable-prefix-caching", spelled), True))
    return found
