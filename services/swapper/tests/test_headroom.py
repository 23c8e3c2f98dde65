"""The arithmetic of memory: what is there, what comes back, what a model wants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_swapper.guarding.headroom import (
    GIB,
    HOST_SIDE,
    RESERVE,
    NodeMemory,
    Tenant,
    cuda_total,
    memory_share,
    needed_bytes,
    room_for,
    room_sentence,
)

TOTAL = 125_442_868 * 1024


def node(available: float, freed: float | None = 0.0, most: float | None = 0.0) -> NodeMemory:
    """Return a Spark; sizes in GiB."""
    whole = [None if size is None else int(size * GIB) for size in (freed, most)]
    return NodeMemory(TOTAL, int(available * GIB), *whole)


@pytest.mark.parametrize(
    ("argv", "share"),
    [
        (("org/m", "--gpu-memory-utilization=0.7"), 0.7),
        (("org/m", "--gpu-memory-utilization", "0.85"), 0.85),
        (("org/m", "--gpu_memory_utilization", ".4"), 0.4),
        (("org/m", "--gpu-memory-utilization=0.7", "--gpu-memory-utilization=0.5"), 0.5),
        (("org/m",), 0.9),
        (("org/m", "--gpu-memory-utilization=lots"), 0.9),
        (("org/m", "--gpu-memory-utilization=7"), 0.9),
        (("org/m", "--port", "1"), 0.9),
    ],
)
def test_the_share_is_read_from_the_arguments_of_vllm(argv, share) -> None:
    assert memory_share(argv) == share


@pytest.mark.parametrize(
    ("kernel", "cuda"),
    [
        (TOTAL, 128_518_373_376),
        (127_500_000 * 1024, 127_601_452 * 1024),
        (64 * GIB, 64 * GIB),
    ],
)
def test_shares_are_of_what_cuda_calls_the_total(kernel, cuda) -> None:
    assert cuda_total(kernel) == cuda


@pytest.mark.parametrize(
    ("memory", "share", "verdict"),
    [
        (node(110), 0.9, "good"),
        (node(109), 0.9, "bad"),
        (node(26, 83.8, 91.8), 0.7, "good"),
        # What the runtime holds beside the GPU's list may or may not be enough.
        (node(16, 83.8, 91.8), 0.85, "unknown"),
        (node(10, 83.8, 91.8), 0.85, "bad"),
        (node(26, None, None), 0.85, "unknown"),
        (node(110, None, None), 0.7, "good"),
        (node(83.7), 0.7, "bad"),
        (node(85.9), 0.7, "good"),
    ],
)
def test_only_what_is_beyond_doubt_is_bad(memory, share, verdict) -> None:
    assert room_for(share, memory).verdict == verdict


def test_a_shortage_is_told_in_numbers_with_who_else_is_there() -> None:
    tenants = (Tenant("python3", 3 * GIB), Tenant("ffmpeg", None))
    memory = NodeMemory(TOTAL, 20 * GIB, 60 * GIB, 68 * GIB, tenants)
    room = room_for(0.8, memory)
    said = room_sentence("Qwen", "Spark 1", room, memory)
    assert said == (
        "Qwen needs 95.7 GB and 2.0 GB in reserve on Spark 1; 20.0 GB are available and "
        "stopping the present model gives back 60.0 GB: 17.7 GB are missing. Also on its GPU: "
        "python3 (3.0 GB), ffmpeg."
    )
    assert "could not be measured" in room_sentence(
        "Qwen", "Spark 1", room_for(0.8, node(20, None, None)), node(20, None, None)
    )
    assert "leaves 26.2 GB available on Spark 1" in room_sentence(
        "Qwen", "Spark 1", room_for(0.7, node(110)), node(110)
    )


_SIZES = st.integers(min_value=0, max_value=130 * GIB)
_SHARES = st.floats(min_value=0.01, max_value=1.0)


@given(available=_SIZES, freed=_SIZES, share=_SHARES)
def test_a_verdict_never_contradicts_the_numbers(available, freed, share) -> None:
    room = room_for(share, NodeMemory(TOTAL, available, freed, freed + HOST_SIDE))
    needed = needed_bytes(share, TOTAL)
    assert room.headroom == available + freed - needed
    if room.verdict == "good":
        assert room.headroom >= RESERVE
    if room.verdict == "bad":
        assert room.headroom + HOST_SIDE < RESERVE


@given(available=_SIZES, more=_SIZES, share=_SHARES)
def test_more_memory_never_makes_it_worse(available, more, share) -> None:
    order = ["bad", "unknown", "good"]
    little = room_for(share, NodeMemory(TOTAL, available, 0, HOST_SIDE)).verdict
    much = room_for(share, NodeMemory(TOTAL, available + more, 0, HOST_SIDE)).verdict
    assert order.index(much) >= order.index(little)
