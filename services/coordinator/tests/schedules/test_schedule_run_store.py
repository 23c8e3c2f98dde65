"""The scripts of runs, one by one: each compares first, and changes nothing a second time."""

import pytest

from spark_common.contracts.schedules import PutSchedule
from spark_coordinator.schedules import telling
from spark_coordinator.schedules.moments import to_ms
from spark_coordinator.schedules.record import due_run
from spark_coordinator.schedules.run_store import Mark

pytestmark = pytest.mark.connected


@pytest.fixture
async def part(bench):
    part = bench.part()
    await part.registry.put(PutSchedule(id="one", kind="sweep", every_seconds=600))
    return part


async def marked(part, minutes=10):
    """Return the entry and the mark of one of its times."""
    entry = await part.registry.require("one")
    nominal = entry.created_at.replace(minute=minutes)
    run = due_run(entry, nominal)
    return entry, Mark(nominal, "live", run, events=(telling.due(run, nominal),))


async def events(bench):
    return await bench.redis.llen("sc:sched:outbox")


async def test_a_time_is_moved_on_by_one_only(bench, part):
    entry, mark = await marked(part)
    before = await events(bench)
    later = entry.next_ms + 600_000
    assert await part.runs.fire(entry, later, [mark])
    # The second one saw the same time, and would make a run of another one.
    _, other = await marked(part, 20)
    assert not await part.runs.fire(entry, later, [other])
    assert [run.id for run in await part.runs.live()] == [mark.run.id]
    assert await events(bench) == before + 1
    assert (await part.registry.require("one")).next_ms == later


async def test_whoever_read_an_older_definition_moves_nothing(part):
    entry, mark = await marked(part)
    await part.registry.put(PutSchedule(id="one", kind="sweep", every_seconds=600, note="new"))
    assert not await part.runs.fire(entry, None, [mark])
    assert not await part.registry.move(entry, 1)
    assert await part.runs.live() == []


async def test_a_nominal_time_makes_one_run_for_ever(bench, part):
    entry, mark = await marked(part)
    assert await part.runs.fire(entry, entry.next_ms, [mark])
    assert await part.runs.finish(mark.run, mark.run.over("done", "x", mark.nominal))
    before = await events(bench)
    # As after a clock was set back: the schedule waits for the same time once more.
    again = await part.registry.require("one")
    assert await part.registry.has_fired(again, to_ms(mark.nominal))
    assert await part.runs.fire(again, entry.next_ms, [mark])
    assert await part.runs.live() == []
    assert await events(bench) == before


async def test_a_run_is_saved_by_whoever_knows_its_latest_state(part):
    entry, mark = await marked(part)
    await part.runs.fire(entry, None, [mark])
    saved = await part.runs.save(mark.run, stage="acting")
    assert (saved.stage, saved.n) == ("acting", 1)
    assert await part.runs.save(mark.run, stage="following") is None
    assert (await part.runs.get_live(mark.run.id)).stage == "acting"


async def test_a_run_is_over_once(bench, part):
    entry, mark = await marked(part)
    await part.runs.fire(entry, None, [mark])
    over = mark.run.over("done", "x", mark.nominal)
    event = telling.finished(mark.run, over, mark.nominal)
    before = await events(bench)
    assert await part.runs.finish(mark.run, over, event)
    assert not await part.runs.finish(mark.run, over, event)
    assert await part.runs.save(mark.run, stage="acting") is None
    assert await events(bench) == before + 1
    assert (await part.runs.logs(["one"]))["one"] == [over]


async def test_no_more_times_are_remembered_than_a_clock_may_need(bench, part):
    entry, _ = await marked(part)
    nominals = [entry.created_at.replace(microsecond=1000 * number) for number in range(300)]
    marks = [Mark(nominal, "none") for nominal in nominals]
    assert await part.runs.fire(entry, None, marks)
    assert await bench.redis.zcard("sc:sched:fired:one") == 256
    newest = await bench.redis.zrange("sc:sched:fired:one", -1, -1)
    assert newest == [str(to_ms(nominals[-1]))]
