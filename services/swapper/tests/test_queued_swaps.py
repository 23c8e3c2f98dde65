"""Swaps that wait for their turn, and what may have changed by then."""

import pytest

from spark_common.contracts.swaps import Phase
from spark_common.errors import ModelNotReadyError, QuarantinedError, UnknownModelError


async def test_a_queued_swap_waits_and_then_runs(bench, running):
    running()
    await bench.request(id="one")
    view = await bench.request("gemma", id="two", when_busy="queue")
    assert view.phase is Phase.QUEUED
    assert (await bench.over("one")).phase is Phase.READY
    assert (await bench.over("two")).phase is Phase.READY
    assert bench.runtime.loaded == "gemma"


async def test_queued_swaps_run_in_the_order_they_were_asked_for(bench, running):
    running()
    order = ["qwen", "gemma", "minimax", "qwen"]
    for number, model in enumerate(order):
        await bench.request(model, id=f"swap-{number}", when_busy="queue")
        await bench.clock.advance(1)
    await bench.until(lambda: bench.outcome("swap-3") is not None)
    ends = [bench.outcome(f"swap-{number}") for number in range(4)]
    assert [(end.model, end.previous) for end in ends] == [
        ("qwen", "gemma"),
        ("gemma", "qwen"),
        ("minimax", "gemma"),
        ("qwen", "minimax"),
    ]
    finished = [end.finished_at for end in ends]
    assert finished == sorted(finished)


async def test_a_model_that_is_gone_by_its_turn_fails_with_the_shelfs_words(bench, running):
    await bench.request()
    bench.shelf.broken = ModelNotReadyError("QWEN is not complete on any Spark")
    running()
    job = await bench.over()
    assert (job.phase, job.cause.code) == (Phase.FAILED, "model_not_ready")
    assert job.cause.sentence == "QWEN is not complete on any Spark."


@pytest.mark.parametrize(
    "error",
    [
        UnknownModelError("there is no model 'qwen' on the menu any more"),
        QuarantinedError("QWEN took Spark 1 down; clear it first"),
        ModelNotReadyError("QWEN is not complete on any Spark"),
    ],
)
async def test_a_queued_swap_whose_model_went_away_fails_truthfully(bench, running, effects, error):
    running()
    bench.runtime.busy_until = 20
    await bench.request("minimax", id="first")
    await bench.clock.advance(1)
    await bench.request(id="second", when_busy="queue")
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.LOADING)
    bench.shelf.broken = error
    await bench.until(lambda: bench.outcome("first") is not None)
    await bench.until(lambda: bench.outcome("second") is not None)
    bench.shelf.broken = None
    told = bench.outcome("second")
    assert (told.outcome, told.cause.code, told.serving) == ("failed", error.code, "minimax")
    assert told.cause.sentence == f"{error.message[0].upper()}{error.message[1:]}."
    assert bench.runtime.loaded == "minimax"
    assert not [effect for effect in bench.runtime.journal if effect[2] == "second"]
