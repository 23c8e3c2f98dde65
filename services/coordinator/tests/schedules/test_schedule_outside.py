"""Outside jobs: told when they are due, credited however they ask, missed once when they do not."""

from datetime import timedelta

import pytest

from spark_common.contracts.schedules import CheckIn
from spark_common.errors import ConflictError, NotFoundError
from spark_common.events import LockAcquired, LockQueued, SwapAccepted, SwapRejected
from spark_common.ids import new_id
from spark_common.subjects import lock_event, swap_accepted, swap_rejected
from spark_common.testing import MemoryBus

pytestmark = pytest.mark.connected


async def watched(bench, id="backup", minutes=1, **facts):
    facts = {"owner": "Alice", "missed_after_minutes": 10, **facts}
    return await bench.put(id, at=bench.in_minutes(minutes), **facts)


def acquired(bench, holder, schedule_id=None):
    now = bench.clock.now()
    return LockAcquired(
        epoch=1, holder=holder, at=now, ttl_seconds=60, expires_at=now, schedule_id=schedule_id
    )


async def tell(bench, how, label):
    """Let somebody ask for the cluster, as the streams tell it."""
    bus, now = MemoryBus("test", bench.broker), bench.clock.now()
    swap = {"swap_id": new_id(), "model": "qwen", "requested_by": label}
    events = {
        "lease": (lock_event("acquired"), acquired(bench, label)),
        "schedule_id": (lock_event("acquired"), acquired(bench, "anybody", label)),
        "line": (
            lock_event("queued"),
            LockQueued(epoch=1, holder=label, at=now, ticket="t", priority="batch", position=1),
        ),
        "swap": (swap_accepted(swap["swap_id"]), SwapAccepted(**swap)),
        "refused": (
            swap_rejected(swap["swap_id"]),
            SwapRejected(**swap, code="lease_held", message="x"),
        ),
    }
    subject, event = events[how]
    await bus.publish_durable(subject, event, id=new_id())


async def test_a_job_that_nobody_watches_is_only_told_when_it_is_due(led):
    await led.put(at=led.in_minutes(1), owner="Alice")
    await led.until(lambda: "due" in led.told())
    await led.passes(60)
    assert led.told() == ["registered", "due"]
    view = await led.get()
    assert (view.runs, view.next_at) == ([], None)


async def test_a_job_that_never_asks_is_missed_once(led):
    await watched(led)
    await led.until(lambda: "due" in led.told())
    assert (await led.get("backup")).last.message.startswith("It is due")
    step = 12
    await led.until(lambda: "missed" in led.told(), 900, step=step)
    # A look that began just before the moment, and one step until its answer is seen.
    assert 660 <= led.clock.monotonic() <= 661 + 2 * step
    await led.passes(120, step=20)
    assert led.told() == ["registered", "due", "missed"]
    (run,) = (await led.get("backup")).runs
    assert (run.state, run.message) == (
        "missed",
        "the job asked for nothing within 10 min of its time",
    )


@pytest.mark.parametrize(
    ("how", "label"),
    [
        ("lease", "Alice"),
        ("lease", "backup"),
        ("schedule_id", "backup"),
        ("line", "Alice"),
        ("swap", "backup"),
        ("refused", "Alice"),
    ],
)
async def test_whoever_asks_within_the_window_has_come(led, how, label):
    await watched(led)
    await led.until(lambda: "due" in led.told())
    await led.passes(120)
    await tell(led, how, label)
    view = await led.over("backup")
    (run,) = view.runs
    assert run.state == "done"
    assert "2 min after its time" in run.message
    await led.passes(700, step=20)
    assert led.told() == ["registered", "due"]


@pytest.mark.parametrize(
    ("how", "label"), [("lease", "Bob"), ("swap", "someone"), ("schedule_id", "other")]
)
async def test_somebody_else_does_not_count(led, how, label):
    await watched(led)
    await led.until(lambda: "due" in led.told())
    await tell(led, how, label)
    await led.until(lambda: "missed" in led.told(), 900, step=12)


async def test_to_check_in_counts_and_is_for_outside_jobs(led):
    await watched(led)
    await led.until(lambda: "due" in led.told())
    view = await led.verbs.check_in(CheckIn(id="backup"))
    assert (view.last.state, len(view.runs)) == ("done", 1)
    with pytest.raises(NotFoundError):
        await led.verbs.check_in(CheckIn(id="nobody"))
    await led.put("ours", kind="sweep", every_seconds=600)
    with pytest.raises(ConflictError):
        await led.verbs.check_in(CheckIn(id="ours"))


async def test_a_job_that_asks_a_little_early_has_come_and_only_for_one_run(led):
    await led.put("backup", every_seconds=600, owner="Alice", missed_after_minutes=5)
    await led.passes(400, step=20)
    await tell(led, "lease", "Alice")
    view = await led.over("backup")
    assert view.runs[0].state == "done"
    assert "min before its time" in view.runs[0].message
    view = await led.over("backup", 2, step=20)
    assert [run.state for run in view.runs] == ["missed", "done"]


async def test_what_a_run_that_has_come_goes_on_to_ask_for_says_nothing_about_the_next(led):
    await led.put("backup", every_seconds=600, owner="Alice", missed_after_minutes=5)
    await led.until(lambda: "due" in led.told(), 700)
    await tell(led, "lease", "Alice")
    await led.over("backup")
    await tell(led, "swap", "Alice")
    view = await led.over("backup", 2, step=20)
    assert [run.state for run in view.runs] == ["missed", "done"]


async def test_one_question_of_an_owner_counts_for_one_job(led):
    await watched(led, "first")
    await watched(led, "second", minutes=2)
    await led.until(lambda: led.told().count("due") == 2)
    await tell(led, "lease", "Alice")
    assert (await led.over("second")).runs[0].state == "done"
    assert (await led.get("first")).last.state == "running"
    await tell(led, "swap", "Alice")
    assert (await led.over("first")).runs[0].state == "done"


async def test_what_was_asked_while_no_coordinator_was_there_is_heard_before_anybody_is_missed(led):
    await watched(led)
    await led.until(lambda: "due" in led.told())
    await led.kill()
    await led.clock.advance(200)
    await tell(led, "swap", "backup")
    await led.clock.advance(3600)
    await led.start()
    (run,) = (await led.over("backup")).runs
    assert run.state == "done"
    assert "missed" not in led.told()


async def test_while_the_bus_is_away_nobody_is_missed(led):
    await watched(led)
    await led.until(lambda: "due" in led.told())
    led.broker.down()
    await led.passes(900, step=20)
    assert (await led.get("backup")).last.state == "running"
    led.broker.up()
    await led.until(lambda: "missed" in led.told())


async def test_the_window_begins_at_the_nominal_time_though_it_was_found_late(led):
    due = led.in_minutes(1)
    await watched(led)
    await led.kill()
    await led.clock.advance(300)
    await led.start()
    await led.until(lambda: "due" in led.told())
    assert led.events("due")[0]["nominal"].startswith(f"{due:%Y-%m-%dT%H:%M}")
    await led.until(lambda: "missed" in led.told(), 900, step=12)
    assert led.clock.now() - due < timedelta(minutes=11)
