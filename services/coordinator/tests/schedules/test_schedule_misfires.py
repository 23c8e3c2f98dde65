"""Times that passed: skipped or made up for as the entry says, told once, also when clocks jump."""

from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_common.contracts.schedules import PutSchedule
from spark_coordinator.schedules.misfire import decide
from spark_coordinator.schedules.record import run_id
from spark_coordinator.schedules.times import come_due, first, nominals, timing_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(*minutes):
    return [NOON + timedelta(minutes=minute) for minute in minutes]


def sweep(policy="skip", within=60.0, **facts):
    misfire = {"policy": policy, "within_minutes": within}
    return PutSchedule(id="one", kind="sweep", every_seconds=600, misfire=misfire, **facts)


@pytest.mark.parametrize(
    ("policy", "within", "due", "now", "run", "passed"),
    [
        ("skip", 60, (0,), 0, 0, ()),
        ("skip", 60, (0,), 1, 0, ()),
        ("skip", 60, (0,), 2, None, (0,)),
        ("skip", 60, (0, 10, 20), 20.5, 20, (0, 10)),
        ("skip", 60, (0, 10, 20), 25, None, (0, 10, 20)),
        ("run_once", 60, (0,), 60, 0, ()),
        ("run_once", 60, (0,), 61, None, (0,)),
        ("run_once", 60, (0, 10, 20), 25, 20, (0, 10)),
        ("run_once", 0.1, (0,), 1, 0, ()),
    ],
)
def test_only_the_latest_runs_and_only_within_its_window(policy, within, due, now, run, passed):
    decision = decide(sweep(policy, within), at(*due), at(now)[0])
    assert decision.run == (None if run is None else at(run)[0])
    assert decision.passed == tuple(at(*passed))
    assert decision.tell
    assert bool(decision.reason) == bool(passed)
    if len(passed) > 1:
        assert f"{len(passed) - 1} before it" in decision.reason


def test_an_outside_job_is_not_said_to_be_missed_because_nobody_looked():
    plain = PutSchedule(id="one", every_seconds=600)
    assert decide(plain, at(0, 10), at(10)[0]).run == at(10)[0]
    assert decide(plain, at(0, 10), at(15)[0]).run is None
    watched = PutSchedule(id="one", every_seconds=600, missed_after_minutes=5)
    late = decide(watched, at(0, 10), at(30)[0])
    assert (late.run, late.passed, late.tell) == (at(10)[0], (at(0)[0],), False)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["* * * * *", "*/7 * * * *", "30 2 * * *", "0 * * * 1-5"]),
    st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
    st.sampled_from(["skip", "run_once"]),
    st.lists(st.integers(1, 400), min_size=1, max_size=6),
)
def test_whenever_somebody_looks_every_time_runs_or_is_passed_exactly_once(
    expression, zone, policy, looks
):
    start = datetime(2026, 3, 28, 20, tzinfo=UTC)
    schedule = PutSchedule(
        id="one",
        kind="sweep",
        cron=expression,
        timezone=zone,
        misfire={"policy": policy, "within_minutes": 30},
    )
    timing = timing_of(schedule, start)
    now, upcoming, runs, passed = start, first(timing, start), [], []
    for minutes in looks:
        now += timedelta(minutes=minutes)
        if upcoming is None or upcoming > now:
            continue
        decision = decide(schedule, come_due(timing, upcoming, now, 1000), now)
        runs += [decision.run] if decision.run is not None else []
        passed += decision.passed
        upcoming = first(timing, now)
    every = list(takewhile(lambda moment: moment <= now, nominals(timing, start)))
    assert sorted([*runs, *passed]) == every
    assert upcoming == first(timing, now)


@pytest.mark.connected
class TestOnACoordinator:
    async def outage(self, bench, hours):
        """Let the only coordinator be away for a while."""
        await bench.kill()
        await bench.clock.advance(hours * 3600)
        await bench.start()
        await bench.passes(10)

    async def test_after_an_outage_what_is_skipped_is_told_once(self, led):
        await led.put(kind="sweep", every_seconds=600)
        await self.outage(led, 9.05)
        view = await led.get()
        assert {run.state for run in view.runs} == {"missed"}
        assert len(view.runs) == 54
        assert led.told() == ["registered", "missed"]
        (event,) = led.events("missed")
        assert "53 before it were missed too" in event["reason"]
        assert view.next_at > led.clock.now()

    async def test_after_an_outage_only_the_latest_is_made_up_for(self, led):
        misfire = {"policy": "run_once", "within_minutes": 60}
        await led.put(kind="sweep", every_seconds=600, misfire=misfire)
        await self.outage(led, 9.05)
        view = await led.get()
        assert [run.state for run in view.runs][:2] == ["done", "missed"]
        assert len(led.broker.stream("SC_PROBES").messages) == 1
        assert led.told().count("missed") == 1

    async def test_a_log_keeps_a_hundred_runs(self, led):
        await led.put(kind="sweep", every_seconds=60)
        await self.outage(led, 5)
        runs = (await led.get()).runs
        assert len(runs) == 100
        assert runs[0].nominal > runs[-1].nominal

    async def test_a_clock_that_jumps_forward_is_an_outage(self, led):
        misfire = {"policy": "run_once", "within_minutes": 60}
        await led.put("nightly", kind="sweep", cron="0 3 * * *")
        await led.put("often", kind="sweep", every_seconds=600, misfire=misfire)
        led.clock.set_by = timedelta(hours=9)
        await led.passes(10)
        assert [run.state for run in (await led.get("nightly")).runs] == ["missed"]
        assert (await led.get("often")).runs[0].state == "done"

    async def test_a_clock_that_is_set_back_fires_nothing_twice(self, led):
        await led.put(kind="sweep", every_seconds=600)
        await led.passes(1300, step=20)
        before = [run.id for run in (await led.get()).runs]
        assert len(before) == 2
        led.clock.set_by = timedelta(minutes=-15)
        await led.passes(1600, step=20)
        ids = [run.id for run in (await led.get()).runs]
        assert len(ids) == len(set(ids)) == 3
        assert len(led.broker.stream("SC_PROBES").messages) == 3

    async def test_after_a_clock_was_far_ahead_for_a_while_schedules_go_on(self, led):
        await led.put(kind="sweep", cron="0 * * * *")
        led.clock.set_by = timedelta(days=400)
        await led.passes(10)
        led.clock.set_by = timedelta()
        await led.passes(10)
        view = await led.get()
        assert view.next_at - led.clock.now() <= timedelta(hours=1)
        due = view.next_at

        async def came() -> bool:
            return (await led.get()).runs[0].id == run_id("one", due)

        await led.until(came, 3700, step=60)
