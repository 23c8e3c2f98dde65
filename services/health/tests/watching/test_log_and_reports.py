"""The connectivity log with its durations, what apps tell, and announced maintenance."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from spark_common.contracts.health import (
    BeginMaintenance,
    EndMaintenance,
    GetConnectivity,
    GetEndpoints,
    GetHealth,
    ListMaintenance,
    ReportHealth,
)
from spark_common.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)
from spark_common.events import HealthChecked, HealthTransition
from spark_common.subjects import HEALTH_REPORT, health_checked, health_transition
from spark_common.tasks import end
from spark_common.testing.wait import until
from spark_health.watching import keys
from spark_health.watching.connectivity import Log, Row, told
from spark_health.watching.reports import Reports, target_named
from spark_health.watching.testing import FakeProbe
from spark_health.watching.wiring import wire_watching
from spark_health.watching.working import Failures

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
KNOWN = ("spark1", "vllm", "parakeet", "kokoro", "qdrant")


def at(minutes):
    return START + timedelta(minutes=minutes)


def event(target, before, after, minutes, **more):
    return HealthTransition(
        target=target, kind="host", before=before, after=after, since=at(minutes), **more
    )


def rows(*changes):
    return [Row(str(number), event(*change)) for number, change in enumerate(changes)]


DAY = rows(
    ("spark1", "up", "down", 0),
    ("qdrant", "up", "down", 5),
    ("spark1", "down", "up", 30),
    ("spark1", "up", "down", 50),
)


def test_each_lasts_until_the_next_of_its_target_and_the_last_until_now():
    found, more = told(DAY, at(60), at(0), None, 10)
    assert [(one.target, one.after, one.seconds / 60, one.until) for one in found] == [
        ("spark1", "down", 10, None),
        ("spark1", "up", 20, at(50)),
        ("qdrant", "down", 55, None),
        ("spark1", "down", 30, at(30)),
    ]
    assert not more


def test_what_began_earlier_and_lasted_into_the_time_is_in_it_and_what_ended_is_not():
    found, _ = told(DAY, at(60), at(40), None, 10)
    assert [(one.target, one.after) for one in found] == [
        ("spark1", "down"), ("spark1", "up"), ("qdrant", "down"),
    ]  # fmt: skip
    assert [one.target for one in told(DAY, at(60), at(0), "qdrant", 10)[0]] == ["qdrant"]
    newest, more = told(DAY, at(60), at(0), None, 2)
    assert [one.since for one in newest] == [at(50), at(30)]
    assert more


def test_clocks_that_were_set_back_make_no_negative_time():
    found, _ = told(
        rows(("a", "up", "down", 30), ("a", None, "strange", 10)), at(5), at(0), None, 9
    )
    assert [one.seconds for one in found] == [0.0, 0.0]
    assert (found[1].before, found[1].after) == ("unknown", "unknown")


async def test_the_log_is_read_from_its_beginning_each_once_and_junk_left_out(bus, broker, clock):
    await bus.publish_durable(health_transition("a"), event("a", "up", "down", 0), id="a:1")
    broker.store("health.transition.a", b"junk")
    log = Log(bus, clock)
    assert not log.complete
    task = asyncio.create_task(log.run())
    await until(lambda: log.complete, "it is read")
    await bus.publish_durable(health_transition("a"), event("a", "down", "up", 9), id="a:2")
    await until(lambda: len(log.transitions(at(20), at(0), None, 9)[0]) == 2, "it goes on")
    message = await bus.message_at("SC_HEALTH", 1)
    log.add(message)
    assert len(log.transitions(at(20), at(0), None, 9)[0]) == 2
    await end([task])


def checked(state, minutes, trigger="timer", target="parakeet"):
    return HealthChecked(
        target=target, state=state, trigger=trigger, sentence=state, at=at(minutes)
    )


def test_a_time_without_work_begins_ends_and_is_told_once():
    failures = Failures()
    for one in (
        checked("ok", 0), checked("failing", 5), checked("busy", 6), checked("wedged", 7),
        checked("down", 8), checked("ok", 9, "remedy"), checked("wedged", 7), checked("down", 20),
        checked("idle", 30), checked("failing", 40, target="kokoro"),
    ):  # fmt: skip
        failures.add(one)
    kokoro, parakeet = failures.since(at(1), None)
    assert (kokoro.target, kokoro.since, kokoro.until) == ("kokoro", at(40), None)
    assert (parakeet.since, parakeet.until, parakeet.restarted) == (at(5), at(9), True)
    assert (parakeet.state, parakeet.sentence) == ("wedged", "wedged")
    assert failures.since(at(10), None) == [kokoro]
    assert failures.since(at(1), "parakeet") == [parakeet]


async def test_the_log_tells_what_deep_checks_found(bus, clock):
    log = Log(bus, clock)
    for one in (checked("wedged", 1), checked("ok", 2)):
        await bus.publish_durable(health_checked(one.target), one, id=one.state)
    task = asyncio.create_task(log.run())
    await until(lambda: log.complete, "it is read")
    (found,) = log.failures(at(0), None)
    assert (found.target, found.since, found.until) == ("parakeet", at(1), at(2))
    await end([task])


async def test_an_empty_log_is_complete(bus, clock):
    log = Log(bus, clock)
    task = asyncio.create_task(log.run())
    await until(lambda: log.complete, "there is nothing to read")
    await end([task])


@pytest.mark.parametrize(
    ("word", "target"),
    [
        ("parakeet", "parakeet"), ("Parakeet", "parakeet"), ("STT", "parakeet"),
        ("speech to text", "parakeet"), ("tts", "kokoro"), ("llm", "vllm"),
        ("vectors", "qdrant"), ("embedding", None), ("", None), ("my bot", None),
    ],
)  # fmt: skip
def test_apps_have_their_own_words_for_services(word, target):
    assert target_named(word, KNOWN) == target


async def test_reports_come_bare_or_sealed_and_junk_is_left_out(bus, broker, clock):
    reports = Reports(bus, clock, lambda: KNOWN)
    task = asyncio.create_task(reports.run())
    bare = {"service": "stt", "ok": False, "error": "HTTP 503", "more": 1}
    broker.store(HEALTH_REPORT, json.dumps(bare).encode())
    for junk in (b"{", b"[]", b"null", b'{"service": 1}', b'"x"', b"\xff"):
        broker.store(HEALTH_REPORT, junk)
    await reports.put(ReportHealth(service="parakeet", ok=True, ms=12))
    long = ReportHealth(service="odd", ok=False, error="start " + "x" * 3000 + " the end")
    assert (await reports.put(long)).target is None
    await until(lambda: len(reports.newest(at(-9_999_999), None)) == 3, "they are read")
    odd, well, bad = reports.newest(START - timedelta(days=9999), None)
    assert (len(odd.error), odd.error[-7:]) == (1000, "the end")
    assert (well.target, well.ms, bad.target, bad.ok) == ("parakeet", 12, "parakeet", False)
    counted = {one.service: one for one in reports.counted(START - timedelta(days=9999), None)}
    assert (counted["parakeet"].ok, counted["parakeet"].failed) == (1, 1)
    assert counted["parakeet"].last_error == "HTTP 503"
    assert [one.service for one in reports.newest(START - timedelta(days=9999), "parakeet")] == [
        "parakeet", "stt",
    ]  # fmt: skip
    broker.down()
    putting = asyncio.create_task(reports.put(ReportHealth(service="x", ok=True)))
    await clock.advance(30)
    with pytest.raises(UnavailableError):
        await putting
    await end([task])


class Part:
    """All of watching on a real Redis, with two targets."""

    def __init__(self, redis, bus, clock):
        self.probes = [FakeProbe("spark1", clock), FakeProbe("qdrant", clock, host="spark1")]
        self.part = wire_watching(
            redis=redis, bus=bus, clock=clock, sources=lambda: [lambda: self.probes],
            disabled=lambda: frozenset({"kokoro"}),
        )  # fmt: skip
        self.verbs = self.part.verbs


@pytest_asyncio.fixture
async def part(redis, bus, clock):
    made = Part(redis, bus, clock)
    task = asyncio.create_task(made.part.watch.run())
    await until(lambda: made.part.watch.ready and len(made.part.watch.targets) == 2, "it watches")
    yield made
    await end([task])


@pytest.mark.connected
async def test_maintenance_is_announced_kept_and_over_by_itself(part, redis, clock):
    verbs = part.verbs
    window = await verbs.begin(BeginMaintenance(target="spark1", minutes=30, requested_by="Alice"))
    assert window.active
    later = clock.now() + timedelta(hours=2)
    ahead = await verbs.begin(BeginMaintenance(target="qdrant", starts_at=later))
    assert not ahead.active
    # Taken in again from an export: the same window.
    again = BeginMaintenance(target="qdrant", starts_at=later, id=ahead.id)
    assert await verbs.begin(again) == ahead
    shown = {one.name: one.maintenance for one in (await verbs.health(GetHealth())).targets}
    assert shown == {"spark1": True, "qdrant": True}
    await redis.hset(keys.MAINTENANCE, "junk", "{")
    windows = (await verbs.windows(ListMaintenance())).windows
    assert [one.id for one in windows] == [window.id, ahead.id]
    await clock.advance(31 * 60)
    assert [one.id for one in (await verbs.windows(ListMaintenance())).windows] == [ahead.id]
    assert await redis.hkeys(keys.MAINTENANCE) == [ahead.id]
    assert (await verbs.end(EndMaintenance(id=ahead.id))).windows == []
    with pytest.raises(NotFoundError):
        await verbs.end(EndMaintenance(id=ahead.id))


@pytest.mark.connected
async def test_maintenance_that_makes_no_sense_is_refused(part, redis, clock):
    begin = part.verbs.begin
    with pytest.raises(NotFoundError, match="known are: spark1, qdrant"):
        await begin(BeginMaintenance(target="other"))
    for wrong in (timedelta(days=91), timedelta(hours=-1)):
        with pytest.raises(InvalidRequestError):
            await begin(BeginMaintenance(starts_at=clock.now() + wrong))
    naive = (clock.now() + timedelta(minutes=5)).replace(tzinfo=None)
    row = (await begin(BeginMaintenance(starts_at=naive))).model_dump_json()
    await redis.hset(keys.MAINTENANCE, mapping={str(number): row for number in range(200)})
    with pytest.raises(ConflictError):
        await begin(BeginMaintenance())


@pytest.mark.connected
async def test_the_questions_are_answered_from_what_is_known(part):
    verbs = part.verbs
    whole = await verbs.health(GetHealth())
    assert [one.name for one in whole.targets] == ["spark1", "qdrant"]
    assert (whole.disabled, whole.problems) == (["kokoro"], [])
    assert [one.name for one in (await verbs.health(GetHealth(targets=["qdrant"]))).targets] == [
        "qdrant"
    ]
    with pytest.raises(NotFoundError):
        await verbs.health(GetHealth(targets=["nobody"]))
    log = await verbs.connectivity(GetConnectivity(target="qdrant"))
    assert [one.target for one in log.uptime] == ["qdrant"]
    assert not log.complete
    assert (await verbs.endpoints(GetEndpoints())).endpoints == []
    assert len(verbs.verbs()) == 7
