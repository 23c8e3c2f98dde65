"""A NIM is put beside what is loaded only where there is room, and nobody else counts on it."""

import pytest

from spark_common.contracts.jobs import JobState
from spark_common.contracts.nim import NimEntry
from spark_common.errors import ConflictError, LeaseHeldError, SwapInProgressError
from spark_health.nim.admission import needed_gb
from spark_sim.faults import Behaviour

pytestmark = [
    pytest.mark.connected,
    pytest.mark.timeout(90),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest.mark.parametrize(
    ("fields", "need"),
    [({"memory_gb": 40}, 40), ({"download_gb": 20}, 24), ({"download_gb": 0}, 0)],
)
async def test_what_an_entry_takes(fields, need):
    image = "nvcr.io/nim/meta/llama-3.1-8b-instruct-dgx-spark:latest"
    assert needed_gb(NimEntry(name="x", label="X", image=image, **fields)) == need


async def test_what_does_not_fit_is_refused_with_the_numbers_before_anything_is_done(bench):
    await bench.cluster.behave("spark2", Behaviour.LOW_MEMORY)
    with pytest.raises(
        ConflictError, match=r"needs 52 GB .* Spark 2 has [0-9.]+ of 1[0-9.]+ GB"
    ) as no:
        await bench.install(entry="qwen3-32b")
    assert no.value.details["needed_gb"] == 52
    assert no.value.details["free_gb"] < 56
    assert bench.did("docker_login") == []
    view = await bench.install(entry="qwen3-32b", force=True)
    assert (await bench.over(view.id)).state == JobState.COMPLETE


async def test_what_fitted_and_does_not_any_more_is_not_started(bench):
    bench.pace(40)
    await bench.install(entry="qwen3-32b")
    await bench.at("pulling")
    await bench.cluster.behave("spark2", Behaviour.LOW_MEMORY)
    bench.pace(1500)
    view = await bench.over()
    assert (view.state, view.cause.code) == (JobState.FAILED, "too_little_memory")
    assert "GB are free, and 56 GB are to be" in view.cause.sentence
    assert bench.did("container_started") == []


async def test_nothing_begins_beside_a_swap_there_or_under_the_lease_of_somebody_else(bench):
    bench.scene.swaps["spark2"] = "a swap to Gemma runs on it"
    with pytest.raises(SwapInProgressError, match="Gemma"):
        await bench.install(force=True)
    bench.scene.swaps = {"spark1": "a swap to Gemma runs on it"}
    bench.leases.holder = "Bob"
    with pytest.raises(LeaseHeldError, match="Bob"):
        await bench.install()
    assert bench.did("docker_login") == []
    await bench.install(lock_token="Bob")
    assert (await bench.over()).state == JobState.COMPLETE
