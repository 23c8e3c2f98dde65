"""A NIM is put beside what is loaded only where there is room, and nobody else counts on it."""

from datetime import UTC, datetime

import pytest

from spark_common.contracts.jobs import JobState
from spark_common.contracts.nim import NimEntry
from spark_common.errors import ConflictError, LeaseHeldError, SwapInProgressError
from spark_common.testing.wait import until
from spark_health.nim.admission import needed_gb
from spark_health.nim.causes import of_ending
from spark_health.nim.record import NimRecord
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
    # It is Bob's own: nobody else's lease was taken beside it.
    assert bench.leases.log == []


async def test_whoever_takes_the_cluster_while_it_is_downloaded_is_waited_for_by_name(bench):
    bench.pace(200)
    await bench.install()
    await bench.at("pulling")
    bench.leases.holder = "Bob"
    bench.pace(1500)

    async def says(word: str) -> bool:
        return word in (await bench.view()).message

    await until(lambda: says("waits to be started: 'Bob' holds the cluster"), "it waits for Bob")
    # Whoever is told of it may be another process by then.
    await bench.kill()
    bench.leases.holder, bench.scene.swaps["spark2"] = None, "a swap to Gemma runs on it"
    bench.start()
    await until(lambda: says("waits to be started: a swap to Gemma"), "it waits for the swap")
    assert bench.did("container_started") == []
    bench.scene.swaps.clear()
    assert (await bench.over()).state == JobState.COMPLETE
    assert bench.leases.log == ["start of llama-3-1-8b, just installed"]
    assert bench.leases.held_now is None
    assert len(bench.did("container_started")) == 1


async def test_what_is_forced_waits_for_swaps_alone(bench):
    bench.pace(200)
    bench.leases.holder = "Bob"
    await bench.install(force=True)
    await bench.at("pulling")
    bench.scene.swaps["spark2"] = "a swap to Gemma runs on it"
    bench.pace(1500)

    async def waits() -> bool:
        return "a swap to Gemma" in (await bench.view()).message

    await until(waits, "it waits for the swap")
    bench.scene.swaps.clear()
    assert (await bench.over()).state == JobState.COMPLETE
    assert bench.leases.log == []


@pytest.mark.parametrize(
    ("waits_for", "word"),
    [("'Bob' holds the cluster", "'Bob' holds the cluster"), ("", "spark-control was away")],
)
async def test_what_waited_in_vain_says_for_whom(waits_for, word):
    entry = NimEntry(name="x", label="X", image="nvcr.io/nim/a/b-dgx-spark:latest")
    record = NimRecord(
        id="one", requested_by="Alice", exclusive="a NIM on Spark 2", step="preparing",
        created_at=datetime(2026, 11, 2, tzinfo=UTC), entry=entry, host="spark2", label="Spark 2",
        volume="x-cache", address="192.0.2.2", ready=True, waits_for=waits_for,
    )  # fmt: skip
    cause = of_ending(record, 94, ["it was not its turn"])
    assert cause.code == "in_the_way"
    assert word in cause.sentence
