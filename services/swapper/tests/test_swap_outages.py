"""Redis or the bus away, and records that are lost: a swap still has its one end."""

from spark_common.contracts.swaps import GetSwap, Phase


async def test_an_outcome_that_stands_is_not_repeated_when_redis_lost_everything(
    bench, running, effects
):
    running()
    await bench.request()
    await bench.over()
    bench.store.forget()
    bench.broker.stream("SC_SWAP_CMD").consumer("swapper").next_seq = 1
    bench.broker.touch()
    await bench.clock.advance(30)
    assert effects() == ["stop@spark1", "launch@spark1"]
    assert not bench.pending()
    assert bench.worker.running is None


async def test_lost_records_a_repeated_request_and_its_old_command_change_nothing(
    bench, running, effects
):
    running()
    await bench.request(rollback=True)
    await bench.over()
    await bench.request("gemma", id="swap-2")
    await bench.over("swap-2")
    before = effects()
    bench.store.forget()
    assert (await bench.request(rollback=True)).phase is Phase.QUEUED
    bench.broker.stream("SC_SWAP_CMD").consumer("swapper").next_seq = 1
    bench.broker.touch()
    await bench.until(lambda: not bench.pending())
    await bench.clock.advance(30)
    assert effects() == before
    assert (await bench.store.get("swap-1")).phase is Phase.READY
    assert await bench.store.live() == []
    assert bench.runtime.loaded == "gemma"


async def test_a_swap_whose_record_is_lost_is_rebuilt_from_its_command(bench, running):
    await bench.request(rollback=True)
    bench.store.forget()
    running()
    job = await bench.over()
    assert (job.phase, job.model_name, job.rollback) == (Phase.READY, "QWEN", True)


async def test_a_swap_with_force_keeps_it_when_its_record_is_lost(bench, running):
    bench.clients.busy_until = 1e9
    bench.clients.swap_id = "swap-1"
    await bench.request(force=True)
    bench.store.forget()
    running()
    job = await bench.over()
    assert (job.phase, job.force) == (Phase.READY, True)


async def test_redis_away_at_the_start_is_waited_for(bench, running):
    await bench.request()
    bench.store.away = True
    running()
    await bench.clock.advance(60)
    assert bench.outcome() is None
    bench.store.away = False
    job = await bench.over()
    assert (job.phase, job.attempt) == (Phase.READY, 1)


async def test_the_end_is_recorded_late_when_redis_was_away(bench, running):
    running()
    await bench.request()
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.LOADING)
    bench.store.away = True
    await bench.until(lambda: bench.outcome() is not None)
    assert bench.pending()
    bench.store.away = False
    job = await bench.over()
    assert job.phase is Phase.READY
    await bench.until(lambda: not bench.pending())


async def test_whoever_heard_the_end_sees_it_although_the_record_is_late(bench, running):
    running()
    await bench.request()
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.LOADING)
    bench.store.away = True
    await bench.until(lambda: bench.outcome() is not None)
    view = await bench.handlers.get_swap(GetSwap(id="swap-1"))
    assert (view.phase, view.finished_at is not None) == (Phase.READY, True)
    bench.store.away = False
    assert (await bench.over()).phase is Phase.READY


async def test_the_bus_away_in_the_middle_does_not_stop_a_swap(bench, running):
    running()
    await bench.request()
    await bench.until(lambda: getattr(bench.worker.running, "phase", None) is Phase.LOADING)
    bench.broker.down()
    await bench.clock.advance(120)
    assert bench.runtime.loaded == "qwen"
    bench.broker.up()
    assert (await bench.over()).phase is Phase.READY
