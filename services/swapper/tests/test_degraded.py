"""A model that answers with gibberish serves, is shown as degraded, and is left alone."""

import asyncio

import pytest

from spark_common.contracts.swaps import Phase, RequestSwap
from spark_common.errors import AlreadyLoadedError
from spark_swapper.readiness.canary_watch import CanaryWatch

BABBLE = "!" * 80
REASON = "it is one piece of text over and over"


def babbling(bench, model="qwen"):
    bench.runtime.faults.babble = BABBLE
    bench.runtime.faults.only_for = model


async def recorded(bench):
    """Run a swap and record its end."""
    job = await bench.swap()
    await bench.store.finish(job, job.revision - 1, 1)


async def test_gibberish_ends_ready_but_degraded_and_says_how_it_looks(bench, effects):
    babbling(bench)
    job = await bench.swap()
    assert (job.phase, job.serving) == (Phase.READY, "qwen")
    assert job.degraded == f"Its answer to a test question is gibberish: {REASON}."
    assert job.message == f"QWEN is serving. {job.degraded}"
    assert job.view().degraded == job.degraded
    await bench.observer.look()
    view = bench.observer.view()
    assert (view.state, view.model) == ("degraded", "qwen")
    assert view.canary == "It is one piece of text over and over."
    assert "switch to it again, or to another model" in view.detail
    told = [line for event in bench.told() for line in event.lines]
    assert job.degraded in told
    assert not any(BABBLE[:8] in line for line in told)
    assert effects() == ["stop@spark1", "launch@spark1"]


async def test_a_sound_answer_leaves_it_serving(bench):
    job = await bench.swap()
    await bench.observer.look()
    assert (job.degraded, bench.observer.view().state) == (None, "serving")


async def test_the_next_swap_clears_it(bench):
    babbling(bench)
    await bench.swap()
    other = bench.job("swap-2", model="gemma", model_name="GEMMA")
    job = await bench.swap(bench.old, attempt=bench.attempt(other))
    await bench.observer.look()
    assert (job.phase, job.degraded) == (Phase.READY, None)
    assert (bench.observer.view().state, bench.observer.view().canary) == ("serving", None)
    assert await bench.store.degraded() is None


async def test_the_same_model_may_be_asked_for_again_and_is_really_loaded_again(bench, effects):
    babbling(bench)
    await recorded(bench)
    await bench.observer.look()
    view = await bench.admission.request(RequestSwap(model="qwen", id="again"))
    assert view.phase is Phase.QUEUED
    bench.runtime.faults.babble = None
    job = await bench.swap(attempt=bench.attempt(bench.job("swap-3")))
    assert (job.phase, job.degraded) == (Phase.READY, None)
    assert effects() == ["stop@spark1", "launch@spark1"] * 2
    await bench.observer.look()
    assert bench.observer.view().state == "serving"


async def test_a_model_that_is_well_may_not_be_loaded_again(bench):
    await recorded(bench)
    await bench.observer.look()
    with pytest.raises(AlreadyLoadedError):
        await bench.admission.request(RequestSwap(model="qwen", id="again"))


@pytest.fixture
async def examining(bench):
    """Run the slow loop of the canary with a switch for being idle."""

    class Idle:
        yes = True
        asked = 0

        async def __call__(self):
            self.asked += 1
            return self.yes

    idle = Idle()
    tasks = []

    def start():
        tasks.append(asyncio.create_task(bench.canary.run(idle, bench.observer.look)))

    idle.start = start
    yield idle
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_it_is_asked_again_slowly_and_only_when_idle_until_it_is_well(
    bench, effects, examining
):
    babbling(bench)
    await bench.swap()
    examining.start()
    await bench.clock.advance(0)
    assert bench.observer.view().state == "degraded"
    asked = bench.runtime.examined
    await bench.clock.advance(290)
    assert bench.runtime.examined == asked
    await bench.clock.advance(20)
    assert bench.runtime.examined == asked + 1
    examining.yes = False
    bench.runtime.faults.babble = None
    await bench.clock.advance(700)
    assert bench.runtime.examined == asked + 1
    assert bench.observer.view().state == "degraded"
    examining.yes = True
    await bench.until(lambda: bench.observer.view().state == "serving", 400)
    assert await bench.store.degraded() is None
    asked = bench.runtime.examined
    await bench.clock.advance(2000)
    assert bench.runtime.examined == asked
    assert effects() == ["stop@spark1", "launch@spark1"]


async def test_a_restart_of_the_swapper_remembers_it_without_asking(bench, examining):
    babbling(bench)
    await bench.swap()
    asked = bench.runtime.examined
    bench.start()
    await bench.observer.look()
    assert bench.observer.view().state == "serving"
    examining.start()
    await bench.clock.advance(0)
    assert bench.observer.view().state == "degraded"
    assert bench.runtime.examined == asked


async def test_records_that_are_away_at_the_start_are_waited_for(bench, examining):
    babbling(bench)
    await bench.swap()
    bench.start()
    bench.store.away = True
    examining.start()
    await bench.clock.advance(30)
    bench.store.away = False
    await bench.until(lambda: bench.observer.view().state == "degraded", 20)


async def test_silence_is_neither_gibberish_nor_well(bench):
    babbling(bench)
    await bench.swap()
    answers, silent = bench.runtime.answers, []

    async def nothing(host, served_name, questions):
        silent.append(served_name)
        return []

    bench.runtime.answers = nothing
    assert await bench.canary.ask_again() is False
    assert bench.canary.degraded("org/qwen") is not None
    fresh = CanaryWatch(bench.runtime, bench.store, bench.clock)
    served = await bench.runtime.served("spark1")
    assert await fresh.examine("spark1", served) is None
    assert len(silent) == 2
    bench.runtime.answers = answers


async def test_a_model_that_comes_back_by_rollback_is_examined_too(bench):
    bench.runtime.faults.dies_after, bench.runtime.faults.only_for = 20, "qwen"
    attempt = bench.attempt(bench.job(rollback=True))

    async def now_gemma_babbles():
        await bench.until(lambda: attempt.journal.job.phase is Phase.ROLLING_BACK)
        await bench.until(lambda: bench.runtime.loaded == "gemma")
        bench.runtime.faults.dies_after = None
        babbling(bench, "gemma")

    job = await bench.swap(attempt=attempt, meanwhile=now_gemma_babbles)
    assert job.phase is Phase.ROLLED_BACK
    assert "GEMMA is serving again. Its answer to a test question is gibberish" in job.message
    await bench.observer.look()
    assert bench.observer.view().state == "degraded"


async def test_a_cancel_does_not_wait_for_the_test_questions(bench):
    bench.runtime.listen_seconds = 10_000
    attempt = bench.attempt()
    running = asyncio.create_task(bench.swap(attempt=attempt))
    await bench.until(lambda: bench.runtime.examined == 1)
    attempt.cancellation.by = "Bob"
    began = bench.clock.monotonic()
    job = await running
    assert (job.phase, bench.runtime.loaded) == (Phase.CANCELLED, None)
    assert bench.clock.monotonic() - began < 15
