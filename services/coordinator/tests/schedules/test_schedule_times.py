"""Nominal times: cron on the nights of DST in three zones, intervals, one time; and properties."""

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spark_common.contracts.schedules import PutSchedule
from spark_coordinator.schedules.moments import from_ms, stamp, to_ms, whole
from spark_coordinator.schedules.times import between, first, nominals, timing_of

NEW_YORK, BERLIN, LORD_HOWE = "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"
AUCKLAND = "Pacific/Auckland"
REGISTERED = datetime(2026, 1, 1, 12, tzinfo=UTC)


def timing(**facts):
    return timing_of(PutSchedule(id="one", **facts), REGISTERED)


def cron(expression, zone="UTC", **facts):
    return timing(cron=expression, timezone=zone, **facts)


def local(times, zone):
    return [f"{moment.astimezone(ZoneInfo(zone)):%d %H:%M %z}" for moment in times]


def night(expression, zone, day):
    """Return the times within the 24 hours from local noon before ``day``."""
    year, month, number = day
    noon = datetime(year, month, number, 12, tzinfo=ZoneInfo(zone)) - timedelta(days=1)
    start = noon.astimezone(UTC)
    return local(between(cron(expression, zone), start, start + timedelta(hours=24), 1000), zone)


@pytest.mark.parametrize(
    ("zone", "day", "expression", "expected"),
    [
        # Clocks go back: a fixed time comes once, the first time.
        (NEW_YORK, (2026, 11, 1), "30 1 * * *", ["01 01:30 -0400"]),
        (BERLIN, (2026, 10, 25), "30 2 * * *", ["25 02:30 +0200"]),
        (LORD_HOWE, (2026, 4, 5), "45 1 * * *", ["05 01:45 +1100"]),
        (AUCKLAND, (2026, 4, 5), "30 2 * * *", ["05 02:30 +1300"]),
        # Clocks go forward: a time in the gap comes right after it.
        (NEW_YORK, (2026, 3, 8), "30 2 * * *", ["08 03:00 -0400"]),
        (BERLIN, (2026, 3, 29), "30 2 * * *", ["29 03:00 +0200"]),
        (LORD_HOWE, (2026, 10, 4), "15 2 * * *", ["04 02:30 +1100"]),
        (AUCKLAND, (2026, 9, 27), "30 2 * * *", ["27 03:00 +1300"]),
        # Two times that fall into the gap, and the one right after it, are one run.
        (BERLIN, (2026, 3, 29), "0,30 2,3 * * *", ["29 03:00 +0200", "29 03:30 +0200"]),
        # What comes every hour or more often comes in both hours, and skips the gap.
        (
            BERLIN,
            (2026, 10, 25),
            "0 * 25 * *",
            [
                *("25 00:00 +0200", "25 01:00 +0200", "25 02:00 +0200", "25 02:00 +0100"),
                *(f"25 {hour:02d}:00 +0100" for hour in range(3, 13)),
            ][:-1],
        ),
        (
            NEW_YORK,
            (2026, 11, 1),
            "*/30 1 1 11 *",
            ["01 01:00 -0400", "01 01:30 -0400", "01 01:00 -0500", "01 01:30 -0500"],
        ),
    ],
)
def test_the_nights_of_dst(zone, day, expression, expected):
    found = night(expression, zone, day)
    assert found[: len(expected)] == expected
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("zone", [NEW_YORK, BERLIN, LORD_HOWE, AUCKLAND])
def test_a_daily_time_comes_once_a_day_all_year(zone):
    start = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    for expression in ("30 1 * * *", "30 2 * * *", "45 1 * * *", "0 3 * * *"):
        times = list(islice(nominals(cron(expression, zone), start), 365))
        days = [moment.astimezone(ZoneInfo(zone)).date() for moment in times]
        assert days == [days[0] + timedelta(days=number) for number in range(365)]


def test_an_interval_counts_from_its_start_or_the_registration():
    one = timing(every_seconds=90)
    assert first(one, REGISTERED) == REGISTERED + timedelta(seconds=90)
    assert first(one, REGISTERED - timedelta(days=9)) == REGISTERED + timedelta(seconds=90)
    other = timing(every_seconds=3600, starts_at="2026-01-01T08:00", timezone=BERLIN)
    assert first(other, REGISTERED - timedelta(days=1)) == datetime(2026, 1, 1, 7, tzinfo=UTC)
    assert first(other, REGISTERED) == datetime(2026, 1, 1, 13, tzinfo=UTC)


def test_one_time_comes_once_on_the_clocks_of_its_zone():
    once = timing(at="2026-07-01T10:00", timezone=BERLIN)
    due = datetime(2026, 7, 1, 8, tzinfo=UTC)
    assert list(nominals(once, REGISTERED)) == [due]
    assert first(once, due) is None


def test_start_and_end_bound_every_kind():
    bounds = {
        "starts_at": datetime(2026, 3, 1, tzinfo=UTC),
        "ends_at": datetime(2026, 3, 3, tzinfo=UTC),
    }
    days = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3)]
    assert list(nominals(cron("0 0 * * *", **bounds), REGISTERED)) == days
    assert list(nominals(timing(every_seconds=86400, **bounds), REGISTERED)) == days


def test_the_latest_of_a_long_outage_are_found_without_walking_through_it():
    every_minute, now = cron("* * * * *"), datetime(2046, 1, 1, tzinfo=UTC)
    found = between(every_minute, REGISTERED, now, 3)
    assert found == [now - timedelta(minutes=back) for back in (2, 1, 0)]
    yearly = cron("0 0 1 1 *")
    assert len(between(yearly, REGISTERED, now, 100)) == 20
    assert between(yearly, now, now, 100) == []


ZONES = st.sampled_from([NEW_YORK, BERLIN, LORD_HOWE, AUCKLAND, "UTC", "America/St_Johns"])
MINUTES = st.sampled_from(["0", "30", "45", "*/15", "*/20", "5-10", "0,30", "*"])
HOURS = st.sampled_from(["1", "2", "3", "*", "*/2", "0-4", "1,2", "23"])
DAYS = st.sampled_from(["*", "1-7", "L", "25", "*/2"])
WEEKDAYS = st.sampled_from(["*", "SUN", "1-5", "SUN#1"])
MOMENTS = st.integers(0, 730 * 24 * 3600).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
CHANGES = st.sampled_from(
    [datetime(2026, *day, tzinfo=UTC) for day in ((3, 8), (3, 29), (4, 4), (10, 3), (10, 25))]
)


def listed(times, start, end):
    """Return the nominal times in ``(start, end]``."""
    return list(takewhile(lambda moment: moment <= end, nominals(times, start)))


@settings(max_examples=150, deadline=None)
@given(MINUTES, HOURS, DAYS, WEEKDAYS, ZONES, CHANGES, st.integers(0, 9999), st.integers(0, 9999))
def test_cron_is_monotone_without_duplicates_and_the_same_from_any_start(
    minute, hour, day, weekday, zone, change, earlier, later
):
    times = cron(f"{minute} {hour} {day} * {weekday}", zone)
    begin, end = change - timedelta(hours=12), change + timedelta(hours=36)
    found = listed(times, begin - timedelta(minutes=earlier % 1000), end)
    assert found == sorted(set(found))
    start = begin + timedelta(minutes=later % 2000)
    after = [moment for moment in found if moment > start]
    assert listed(times, start, end) == after
    if after:
        assert listed(times, after[0], end) == after[1:]


@settings(max_examples=100, deadline=None)
@given(MINUTES, HOURS, DAYS, WEEKDAYS, st.sampled_from([NEW_YORK, BERLIN, AUCKLAND]), CHANGES)
def test_where_clocks_change_by_an_hour_it_is_what_cronsim_says(
    minute, hour, day, weekday, zone, change
):
    expression = f"{minute} {hour} {day} * {weekday}"
    start, end = change - timedelta(hours=12), change + timedelta(hours=36)
    reference = []
    for local_time in CronSim(expression, start.astimezone(ZoneInfo(zone))):
        moment = local_time.astimezone(UTC)
        if moment > end:
            break
        reference.append(moment)
    assert listed(cron(expression, zone), start, end) == sorted(set(reference))


@settings(max_examples=100, deadline=None)
@given(st.floats(60, 366 * 86400), MOMENTS, st.integers(1, 50))
@example(60.0005, REGISTERED, 3)
def test_an_interval_is_the_same_from_any_start(every, start, steps):
    times = timing(every_seconds=every)
    found = list(islice(nominals(times, start), steps))
    assert found == sorted(set(found))
    assert found[-1:] == list(islice(nominals(times, found[-1] - timedelta(microseconds=1)), 1))
    assert between(times, start, found[-1], steps) == found


@given(MOMENTS, st.integers(0, 999_999))
def test_milliseconds_keep_order_and_name_a_moment(moment, microseconds):
    moment = whole(moment + timedelta(microseconds=microseconds))
    assert from_ms(to_ms(moment)) == moment
    later = moment + timedelta(milliseconds=1)
    assert to_ms(later) == to_ms(moment) + 1
    assert stamp(later) != stamp(moment)


@given(MOMENTS, st.integers(1, 40), st.integers(1, 30))
@settings(max_examples=60, deadline=None)
def test_what_lies_between_is_what_is_listed(start, hours, most):
    times = cron("*/7 * * * *", BERLIN)
    until = start + timedelta(hours=hours)
    assert between(times, start, until, most) == listed(times, start, until)[-most:]
