"""A swap is carried out with what the owner had set when it began, whoever finishes it."""

import pytest

from spark_common.contracts.swaps import Phase
from spark_common.owner import LiveSettings, OwnerValues


class Owner:
    """Sets something now and then."""

    def __init__(self):
        self.owner = OwnerValues()

    def set(self, **values):
        self.owner = OwnerValues(self.owner.version + 1, values, {"HF_TOKEN": "hush"})

    async def read(self, known):
        return None if known == self.owner.version else self.owner


@pytest.fixture
def owner(bench):
    owner = Owner()
    bench.live = LiveSettings(owner, bench.bus, bench.clock)
    bench.start()
    return owner


async def test_a_change_while_it_loads_is_for_the_next_one(bench, running, owner):
    running()
    owner.set(LOAD_DEADLINE_SECONDS="500")
    await bench.live.refresh()
    await bench.request()
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.LOADING)
    owner.set(LOAD_DEADLINE_SECONDS="5")
    await bench.live.refresh()
    assert (await bench.over()).phase is Phase.READY
    await bench.request("gemma", id="swap-2")
    job = await bench.over("swap-2")
    assert (job.phase, job.cause.code) == (Phase.FAILED, "load_deadline")


async def test_the_worker_after_a_killed_one_goes_on_with_the_same(bench, running, owner):
    kill = running()
    await bench.request()
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.LOADING)
    await kill()
    owner.set(LOAD_DEADLINE_SECONDS="5")
    await bench.live.refresh()
    running(again=True)
    job = await bench.over()
    assert (job.phase, job.attempt, job.settings) == (Phase.READY, 2, {})


async def test_what_it_began_with_is_recorded_without_secrets(bench, running, owner):
    owner.set(STALL_SECONDS="700")
    await bench.live.refresh()
    running()
    await bench.request()
    job = await bench.over()
    assert job.settings == {"STALL_SECONDS": "700"}
    assert "hush" not in job.model_dump_json()
