"""What the kernel knows about a runtime that died: whether it was ended for lack of memory."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from spark_common.contracts.swaps import Cause

WORTH_ASKING = frozenset(
    {
        "out_of_memory_killed",
        "out_of_gpu_memory",
        "runtime_died",
        "ended_silently",
        "engine_died",
        "engine_failed",
        "gpu_fault",
    }
)
"""Causes that may be the kernel's doing, or that are not certain without its word."""
_KILLED = re.compile(r"Out of memory: Killed process|oom-kill:|invoked oom-killer|oom_reaper")
_DRIVER = re.compile(r"NVRM.*(?:Out of memory|NV_ERR_NO_MEMORY)")
_EARLYOOM = re.compile(r"sending SIG(?:TERM|KILL) to process")
_LESS_MEMORY = (
    "Stop other programs on that Spark, or lower the memory share (--gpu-memory-utilization) "
    "in the model's recipe, then press 'Switch to this' again."
)
_MOST_LINES = 6


@dataclass(frozen=True)
class KernelWords:
    """The lines about memory in a Spark's kernel log, and whether it could be read."""

    readable: bool
    lines: tuple[str, ...] = ()


def explained(cause: Cause, words: KernelWords, *, label: str, oom_kills: int = 0) -> Cause:
    """Return the cause with what the kernel says: certain, denied or unknown.

    ``oom_kills``: processes of the container that the kernel ended since the launch.
    """
    if cause.code not in WORTH_ASKING:
        return cause
    killed = [line for line in words.lines if _KILLED.search(line) or _EARLYOOM.search(line)]
    driver = [line for line in words.lines if _DRIVER.search(line)]
    # Who names a reason of his own knows better than the kernel, which may speak of another.
    open_question = cause.code not in ("out_of_gpu_memory", "gpu_fault", "engine_failed")
    if (killed or oom_kills) and open_question:
        return _with(
            cause,
            "out_of_memory_killed",
            f"{label} ran out of memory while the model was loading, and its kernel ended it.",
            killed,
        )
    if driver and (open_question or cause.code == "gpu_fault"):
        return _with(
            cause,
            "out_of_gpu_memory",
            f"The GPU driver of {label} ran out of memory while the model was loading.",
            driver,
        )
    if cause.code == "out_of_memory_killed":
        return cause.model_copy(update={"evidence": [*cause.evidence, _unproven(words, label)]})
    if not words.readable and cause.code in ("runtime_died", "ended_silently"):
        return cause.model_copy(update={"evidence": [*cause.evidence, _unproven(words, label)]})
    return cause


def _with(cause: Cause, code: str, sentence: str, lines: Sequence[str]) -> Cause:
    evidence = [*cause.evidence, *(line[:4000] for line in lines[-_MOST_LINES:])]
    update = {"code": code, "sentence": sentence, "action": _LESS_MEMORY, "evidence": evidence}
    return cause.model_copy(update=update)


def _unproven(words: KernelWords, label: str) -> str:
    if words.readable:
        return f"(The kernel log of {label} says nothing about memory in this time.)"
    return (
        f"(The kernel log of {label} may not be read by the SSH user, so this is not proven; "
        "adding that user to the group adm makes it readable.)"
    )
