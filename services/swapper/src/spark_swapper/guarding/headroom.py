"""Whether a model fits the memory of a Spark that already does other things. Pure.

On a Spark the GPU uses the machine's own memory: vLLM wants its share of all of it to be
available when it starts, and what else runs there (speech, embeddings, a desktop) is simply gone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from spark_common.contracts.plans import Verdict
from spark_swapper.launching.flags import Flag, merge_flags

GIB = 1024**3
RESERVE = 2 * GIB
"""What has to stay available beside the model: below it a Spark is close to hanging."""
USUAL_SHARE = 0.9
"""What vLLM takes when nobody says."""
HOST_SIDE = 8 * GIB
"""A runtime holds ordinary memory beside what the GPU's list says; never more than this."""
CUDA_TOTALS = (128_518_373_376, 127_601_452 * 1024)
"""What CUDA calls the total of a Spark, by version of its system; shares are of this."""


@dataclass(frozen=True)
class Tenant:
    """A process on the GPU that is none of the runtime's."""

    name: str
    held_bytes: int | None
    """None: the driver does not say."""


@dataclass(frozen=True)
class NodeMemory:
    """The memory of one Spark before a swap. In bytes."""

    total: int
    """``MemTotal`` of the kernel."""
    available: int
    """``MemAvailable``: page cache counts as available."""
    freed: int | None
    """What stopping the runtime gives back for certain; None: nobody could tell."""
    freed_at_most: int | None = None
    """With what the GPU's list does not show; None: nobody could tell."""
    tenants: tuple[Tenant, ...] = ()


@dataclass(frozen=True)
class Room:
    """How a model would fit one Spark. In bytes."""

    needed: int
    available: int
    freed: int | None
    headroom: int | None
    """What stays available once it runs; negative when it does not fit."""
    verdict: Verdict


def share_of(flags: Sequence[Flag]) -> float:
    """Return the share of the memory that a launch with these flags claims, 0 to 1."""
    for flag in flags:
        if flag.key == "gpu-memory-utilization" and flag.values:
            try:
                share = float(flag.values[0])
            except ValueError:
                return USUAL_SHARE
            return share if 0 < share <= 1 else USUAL_SHARE
    return USUAL_SHARE


def memory_share(vllm_argv: Sequence[str]) -> float:
    """Return the same from what follows ``vllm serve``."""
    return share_of(merge_flags(vllm_argv[1:]))


def cuda_total(total: int) -> int:
    """Return what CUDA calls the total of a machine with so much memory, in bytes."""
    near = [known for known in CUDA_TOTALS if abs(known - total) <= GIB]
    return min(near, key=lambda known: abs(known - total), default=total)


def needed_bytes(share: float, total: int) -> int:
    """Return what vLLM wants to be available when it starts."""
    return math.ceil(share * cuda_total(total))


def room_for(share: float, memory: NodeMemory) -> Room:
    """Return how a model that claims ``share`` would fit.

    Bad only beyond doubt: even if the runtime gives back all that it can hold.
    """
    needed = needed_bytes(share, memory.total)
    wanted = needed + RESERVE
    least = memory.available + (memory.freed or 0)
    headroom = least - needed if memory.freed is not None else None
    if least >= wanted:
        verdict: Verdict = "good"
    elif memory.freed_at_most is None:
        verdict = "unknown"
    else:
        verdict = "bad" if memory.available + memory.freed_at_most < wanted else "unknown"
    return Room(needed, memory.available, memory.freed, headroom, verdict)


def room_sentence(name: str, label: str, room: Room, memory: NodeMemory) -> str:
    """Say in numbers how a model fits, for the owner."""
    wanted = f"{name} needs {gib(room.needed)} and {gib(RESERVE)} in reserve on {label}"
    there = f"{gib(room.available)} are available"
    if room.freed:
        there += f" and stopping the present model gives back {gib(room.freed)}"
    elif room.freed is None:
        there += ", and what the present model holds could not be measured"
    short = room.needed + RESERVE - room.available - (room.freed or 0)
    match room.verdict:
        case "good":
            left = room.headroom if room.headroom is not None else room.available - room.needed
            return f"{name} leaves {gib(left)} available on {label}."
        case "bad":
            return f"{wanted}; {there}: {gib(short)} are missing.{_tenants(memory)}"
        case _:
            return f"{wanted}; {there}. Whether that is enough is not certain.{_tenants(memory)}"


def gib(size: int) -> str:
    """Return a size for people in GiB, rounded down; memory is called GB all over the product."""
    return f"{math.floor(size / GIB * 10) / 10:.1f} GB"


def _tenants(memory: NodeMemory) -> str:
    named = [
        f"{one.name} ({gib(one.held_bytes)})" if one.held_bytes is not None else one.name
        for one in memory.tenants
    ]
    return f" Also on its GPU: {', '.join(named)}." if named else ""
