"""The time to go: learned per pair of models, in every phase, and never a guess."""

import pytest

from spark_common.contracts.swaps import Phase
from spark_swapper.records.jobs import MAIN_LINE


async def test_the_eta_is_that_of_the_pair_and_is_there_in_every_phase(bench):
    bench.store._times = {"qwen": [500.0]}
    bench.store._pairs = {("gemma", "qwen"): [90.0, 110.0, 100.0], (None, "qwen"): [70.0]}
    bench.runtime.busy_until = 8
    bench.clients.answer_seconds = 3
    job = await bench.swap()
    assert job.usual_seconds == 100.0
    etas = {event.phase: event.eta_seconds for event in bench.told() if event.previous_phase}
    assert all(etas[phase] is not None for phase in MAIN_LINE[2:-1]), etas
    counted = [etas[phase] for phase in MAIN_LINE[2:-1]]
    assert counted == sorted(counted, reverse=True)
    assert etas[Phase.DRAINING] == pytest.approx(99, abs=1)
    assert etas[Phase.LOADING] == pytest.approx(100 - 8 - 10 - 2, abs=4)


async def test_from_nothing_it_is_another_pair_and_a_new_pair_falls_back(bench):
    bench.store._times = {"qwen": [500.0]}
    bench.store._pairs = {(None, "qwen"): [70.0]}
    assert (await bench.swap()).usual_seconds == 500.0
    bench.runtime._container = None
    job = await bench.swap(attempt=bench.attempt(bench.job("swap-2")))
    assert job.usual_seconds == 70.0


async def test_without_any_earlier_swap_there_is_no_number_before_the_weights(bench):
    job = await bench.swap()
    assert job.usual_seconds is None
    early = [event.eta_seconds for event in bench.told() if event.percent is None]
    assert set(early) == {None}


async def test_beyond_the_usual_time_there_is_no_number_rather_than_a_wrong_one(bench):
    bench.store._times = {"qwen": [20.0]}
    bench.clients.answer_seconds = 30
    await bench.swap()
    assert bench.told()[-1].phase is Phase.WARMING
    assert bench.told()[-1].eta_seconds is None


async def test_on_the_way_back_there_is_no_number_of_the_way_there(bench):
    bench.store._times = {"qwen": [5000.0]}
    bench.runtime.faults.dies_after, bench.runtime.faults.only_for = 20, "qwen"
    await bench.swap(attempt=bench.attempt(bench.job(rollback=True)))
    back = [one for one in bench.told() if one.phase is Phase.ROLLING_BACK and one.percent is None]
    assert back
    assert {event.eta_seconds for event in back} == {None}
