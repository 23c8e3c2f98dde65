"""The calendar and the conflicts: what was, what comes, who is in whose way."""

from datetime import UTC, datetime, timedelta

import pytest

from spark_common.contracts.schedules import GetCalendar, PutSchedule, Run
from spark_common.errors import InvalidRequestError
from spark_coordinator.schedules.calendar import MOST_ENTRIES, calendar, checked_span
from spark_coordinator.schedules.conflicts import StandingLease
from spark_coordinator.schedules.moments import to_ms
from spark_coordinator.schedules.record import Entry, due_run, run_id
from spark_coordinator.schedules.times import first
from spark_coordinator.schedules.views import conflicts_ahead

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def entry(id, created=NOW - 7 * DAY, after=NOW, **facts):
    made = Entry(schedule=PutSchedule(id=id, **facts), created_at=created)
    coming = first(made.timing, after)
    return made.model_copy(update={"next_ms": to_ms(coming) if coming else None})


def shown(*entries, start=NOW, end=NOW + DAY, logs=None, live=(), lease=None):
    return calendar(start, end, NOW, entries, logs or {}, live, lease)


def clashes(*entries, lease=None):
    return {
        one: [conflict.sentence for conflict in found]
        for one, found in conflicts_ahead(entries, NOW, lease).items()
        if found
    }


def test_what_comes_is_expanded_in_order():
    found = shown(
        entry("nightly", cron="0 2 * * *", timezone="Europe/Berlin", duration_minutes=45),
        entry("often", kind="sweep", every_seconds=8 * 3600, starts_at=NOW),
        entry("once", at=NOW + timedelta(hours=1)),
        entry("off", every_seconds=60, enabled=False),
    )
    assert [(one.schedule_id, f"{one.at:%H:%M}", one.state) for one in found.entries] == [
        ("once", "13:00", "planned"),
        ("often", "20:00", "planned"),
        ("nightly", "01:00", "planned"),
        ("often", "04:00", "planned"),
        ("often", "12:00", "planned"),
    ]
    assert found.entries[2].until - found.entries[2].at == timedelta(minutes=45)
    assert not found.cut


def test_what_was_comes_from_the_log_and_is_not_shown_twice():
    daily = entry("daily", kind="swap", model="qwen", cron="0 6 * * *")
    at = NOW.replace(hour=6)
    ran = Run(
        id="r", nominal=at, state="done", started_at=at, finished_at=at + timedelta(minutes=4)
    )
    missed = Run(id="m", nominal=at - DAY, state="missed", finished_at=at)
    found = shown(daily, start=NOW - 3 * DAY, logs={"daily": [ran, missed]})
    assert [(one.at, one.state) for one in found.entries] == [
        (at - DAY, "missed"),
        (at, "done"),
        (at + DAY, "planned"),
    ]
    assert found.entries[1].until == ran.finished_at


def test_a_run_that_goes_on_is_shown_as_it_is():
    daily = entry("daily", kind="swap", model="qwen", cron="0 12 * * *")
    run = due_run(daily, NOW)
    assert shown(daily, live=[run]).entries[0].state == "planned"
    going = run.model_copy(update={"started_at": NOW})
    assert shown(daily, live=[going]).entries[0].state == "running"


def test_jobs_that_nobody_watches_are_shown_where_they_were_planned():
    plain = entry("plain", cron="0 6 * * *", created=NOW - 2 * DAY)
    found = shown(plain, start=NOW - 7 * DAY, end=NOW)
    assert [one.state for one in found.entries] == ["planned", "planned"]


def test_more_than_is_told_is_cut_at_its_end():
    found = shown(entry("often", cron="* * * * *"), end=NOW + 60 * DAY)
    assert (len(found.entries), found.cut) == (MOST_ENTRIES, True)
    assert found.entries[-1].at - NOW < timedelta(hours=17)
    wide = [
        entry(f"e{number}", every_seconds=60, name="ü" * 200, owner="ü" * 200)
        for number in range(20)
    ]
    assert len(shown(*wide).model_dump_json().encode()) < 950_000


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOW, NOW),
        (NOW, NOW - DAY),
        (NOW, NOW + 63 * DAY),
        (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)),
    ],
)
def test_a_span_that_cannot_be_shown_is_refused(start, end):
    with pytest.raises(InvalidRequestError):
        checked_span(GetCalendar(start=start, end=end))


def test_a_span_without_an_offset_is_utc():
    start, end = checked_span(GetCalendar(start="2026-03-01T00:00", end="2026-03-02T00:00"))
    assert (start.tzinfo, end - start) == (UTC, DAY)


SWAP = {"kind": "swap", "cron": "0 2 * * *", "duration_minutes": 30}


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ({**SWAP, "model": "qwen"}, {**SWAP, "model": "qwen"}, True),
        ({**SWAP, "model": "qwen"}, {**SWAP, "model": "gemma", "cron": "29 2 * * *"}, True),
        ({**SWAP, "model": "qwen"}, {**SWAP, "model": "gemma", "cron": "30 2 * * *"}, False),
        ({**SWAP, "model": "qwen"}, {"cron": "10 2 * * *", "model": "gemma"}, True),
        ({**SWAP, "model": "qwen"}, {"cron": "10 2 * * *", "model": "qwen"}, False),
        ({**SWAP, "model": "qwen"}, {"cron": "10 2 * * *"}, False),
        ({**SWAP, "model": "qwen"}, {"kind": "sweep", "cron": "10 2 * * *"}, False),
        ({"cron": "0 2 * * *", "model": "a"}, {"cron": "29 2 * * *", "model": "b"}, True),
        ({"cron": "0 2 * * *", "model": "a"}, {"cron": "30 2 * * *", "model": "b"}, False),
        (
            {"kind": "restart", "service": "vllm", "cron": "10 2 * * *"},
            {"cron": "0 2 * * *", "model": "qwen"},
            True,
        ),
        (
            {"kind": "warm", "model": "qwen", "cron": "5 2 * * *"},
            {"kind": "restart", "service": "vllm", "cron": "0 2 * * *"},
            True,
        ),
    ],
)
def test_schedules_clash_when_both_need_the_cluster_or_other_models(one, other, clash):
    found = clashes(entry("one", **one), entry("other", **other))
    assert bool(found.get("one")) == bool(found.get("other")) == clash


def test_a_conflict_is_told_to_people():
    found = conflicts_ahead(
        [
            entry("nightly", name="Nightly swap", model="qwen", **SWAP),
            entry("train", owner="Bob", model="gemma", cron="15 2 * * *", duration_minutes=60),
        ],
        NOW,
        None,
    )
    conflict = found["nightly"][0]
    assert conflict.sentence == (
        "'train' runs from 2 Mar 02:15 UTC to 03:15: it needs gemma, this one qwen."
    )
    assert (conflict.other, conflict.other_id) == ("schedule", "train")
    assert (f"{conflict.at:%H:%M}", f"{conflict.until:%H:%M}") == ("02:15", "02:30")
    assert len(found["nightly"]) == 7


def test_the_lease_that_stands_is_in_the_way_of_all_but_its_holder():
    lease = StandingLease("agent", NOW + timedelta(hours=2))
    soon = {"at": NOW + timedelta(hours=1)}
    found = clashes(
        entry("swap", kind="swap", model="qwen", **soon),
        entry("theirs", owner="agent", model="qwen", **soon),
        entry("sweep", kind="sweep", **soon),
        entry("later", kind="swap", model="qwen", at=NOW + timedelta(hours=2)),
        lease=lease,
    )
    assert found["swap"][0] == (
        "'agent' holds the cluster until 1 Mar 14:00 UTC: the run would wait for it."
    )
    assert not any(
        "'agent'" in text for one in ("theirs", "sweep", "later") for text in found.get(one, [])
    )
    told = shown(entry("swap", kind="swap", model="qwen", **soon), lease=lease)
    assert (told.lease_holder, told.lease_until) == ("agent", lease.until)
    assert told.entries[0].conflicts[0].other == "lease"


@pytest.mark.connected
async def test_the_calendar_of_a_coordinator(led):
    await led.put("done", kind="sweep", at=led.in_minutes(1))
    await led.put("swap", kind="swap", model="qwen", at=led.in_minutes(30))
    await led.over("done")
    led.lease.take("agent", 7200)
    found = await led.verbs.calendar(GetCalendar(start=led.in_minutes(-60), end=led.in_minutes(60)))
    assert [(one.schedule_id, one.state) for one in found.entries] == [
        ("done", "done"),
        ("swap", "planned"),
    ]
    assert found.entries[1].conflicts[0].other == "lease"
    assert (await led.get("swap")).conflicts[0].other == "lease"
    led.lease.away = True
    assert (await led.get("swap")).conflicts == []


def test_the_id_of_a_run_is_its_schedule_and_time_and_fits_everywhere():
    assert run_id("nightly", NOW) == "nightly-20260301T120000Z"
    long = run_id("x" * 64, NOW + timedelta(milliseconds=7))
    assert len(long) <= 64
    assert long != run_id("x" * 63, NOW + timedelta(milliseconds=7))
