"""How many Sparks a launch needs: what the launcher counts from its command. Pure."""

from collections.abc import Sequence

from spark_swapper.launching.flags import merge_flags

_SHARED_BY = ("tensor-parallel-size", "pipeline-parallel-size", "data-parallel-size")


def nodes_of(vllm_argv: Sequence[str]) -> int:
    """Return tensor times pipeline times data parallel of the arguments after ``vllm serve``.

    What is no number counts as 1: vLLM refuses it, and says so better.
    """
    flags = {flag.key: flag.values for flag in merge_flags(vllm_argv[1:])}
    nodes = 1
    for key in _SHARED_BY:
        value = (flags.get(key) or ("1",))[0]
        nodes *= max(1, int(value)) if value.isascii() and value.isdigit() else 1
    return nodes
