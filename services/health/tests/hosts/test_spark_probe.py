"""Whether a Spark is there: how each way to answer counts, and how soon a silent one is told."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from spark_common.errors import (
    DeadlineExceededError,
    HostKeyChangedError,
    HostUnreachableError,
    RemoteCommandError,
)
from spark_common.remote.command import RemoteResult
from spark_common.tasks import end
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_health.hosts.asking import Asking
from spark_health.hosts.looking import HardwareWatch, LookTimes
from spark_health.hosts.probe import SparkProbe
from spark_health.hosts.testing.fakes import ONE, QuietShell, Reaching, watch_of
from spark_health.settings import WatchPace
from spark_health.testing.spark_says import answer
from spark_health.watching.testing import (
    MemoryMaintenance,
    MemoryStandings,
    MemoryUptime,
    Silence,
)
from spark_health.watching.watch import Watch

PACE = WatchPace()
LATE = DeadlineExceededError("'true' on Spark 1 did not end within 8 s and was stopped")


def probe_of(shell, *, accepts=True, hardware=None) -> SparkProbe:
    asking = Asking(shell, ONE, Reaching(accepts=accepts), shell.clock, PACE)
    return SparkProbe(asking, hardware or watch_of(shell), shell.clock, PACE)


@pytest.mark.parametrize(
    ("does", "accepts", "state", "word"),
    [
        (RemoteResult(0, "", ""), True, "up", ""),
        (RemoteResult(127, "", "true: not found"), True, "up", ""),
        (RemoteResult(None, "", "lost"), True, "down", "lost the connection"),
        (HostUnreachableError("connection refused"), False, "down", "refused"),
        (HostUnreachableError("connection timed out"), False, "down", "timed out"),
        (HostUnreachableError("connection timed out"), True, "down", "hangs, or is very busy"),
        (HostUnreachableError("permission denied (publickey)"), True, "degraded", "permission"),
        (HostUnreachableError("k (SSH_KEY_PATH) is no key"), True, "unknown", "SSH_KEY_PATH"),
        (HostKeyChangedError("another key"), True, "degraded", "another key"),
        (LATE, True, "down", "hangs, or is very busy"),
        (RemoteCommandError("too much"), True, "unknown", "too much"),
    ],
)
async def test_a_spark_that_hangs_is_told_from_one_that_is_off(clock, does, accepts, state, word):
    shell = QuietShell(clock)
    shell.says = {("spark1", "true"): does}
    seen = await probe_of(shell, accepts=accepts).look()
    assert seen.state == state
    assert word in seen.reason
    hung = accepts and "hangs" in word
    assert seen.facts.get("answering") == (
        ("hung" if hung else "dead") if state == "down" else None
    )


@pytest.mark.parametrize(
    ("script", "state"),
    [(answer(), "up"), (answer(smi=(124, "")), "degraded"), (LATE, "degraded")],
)
async def test_what_its_hardware_said_last_is_part_of_how_it_is(clock, script, state):
    shell = QuietShell(clock)
    shell.says = {("spark1", "sh"): script, ("spark1", "cat"): "1.00 1.00"}
    hardware = watch_of(shell, accepts=True)
    await hardware.look("spark1")
    probe = probe_of(shell, hardware=hardware)
    assert (await probe.look()).state == state
    # Three looks that find it degraded are not one reading seen three times.
    await clock.advance(PACE.host_seconds)
    assert (await probe.look()).state == ("up" if state == "up" else "unknown")
    await clock.advance(PACE.host_seconds)
    assert (await probe.look()).state == state


async def test_a_slow_spark_is_busy_and_not_down(clock):
    shell = QuietShell(clock)
    shell.took = 5.0
    hardware = watch_of(shell, accepts=True)
    assert (await hardware.look("spark1")).answering == "slow"
    shell.took = 0.0
    assert (await probe_of(shell, hardware=hardware).look()).state == "busy"

    class Crawling(QuietShell):
        """It answers the reading of its hardware, and not in time who asks it to do nothing."""

        async def run(self, host, command, *, timeout_seconds=30.0):
            if command.argv == ("true",):
                await self.clock.advance(1.0)
                await hardware.look("spark1")
                raise LATE
            return await super().run(host, command, timeout_seconds=timeout_seconds)

    assert (await probe_of(Crawling(clock), hardware=hardware).look()).state == "busy"
    shell.says = {("spark1", "true"): LATE}
    assert (await probe_of(shell, hardware=hardware).look()).state == "down"


class Line:
    """The way to a Spark: what it is to whoever asks over SSH, and to whoever knocks."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.is_ = "well"
        self.asked = 0

    async def run(self, host, command, *, timeout_seconds=30.0):
        self.asked += 1
        if self.is_ == "refusing":
            raise HostUnreachableError("connection refused")
        if self.is_ == "well":
            return RemoteResult(0, "", "")
        if self.is_ == "slow" and command.argv == ("true",):
            await self.clock.sleep(3.0)
            return RemoteResult(0, "", "")
        await self.clock.sleep(timeout_seconds)
        raise LATE

    async def accepts(self, address, port):
        if self.is_ == "off":
            await self.clock.sleep(PACE.silence_seconds)
        return self.is_ in {"well", "slow", "frozen"}

    async def home(self, host):
        raise NotImplementedError


@asynccontextmanager
async def watched(line: Line):
    clock, store = line.clock, MemoryStandings()
    hardware = HardwareWatch(line, (ONE,), line, clock, LookTimes())
    probe = SparkProbe(Asking(line, ONE, line, clock, PACE), hardware, clock, PACE)
    watch = Watch(
        lambda: [probe],
        standings=store,
        uptime=MemoryUptime(),
        maintenance=MemoryMaintenance(),
        teller=Silence(),
        bus=MemoryBus("health", MemoryBroker(clock=clock)),
        clock=clock,
    )
    task = asyncio.create_task(watch.run())
    await clock.advance(20)
    yield store, hardware
    await end([task])


TENTHS = [step / 10 for step in range(0, 31, 3)]
"""Where between two looks something happens."""


@pytest.mark.parametrize(
    ("fault", "within", "word", "answering"),
    [
        ("off", 9.0, "takes no connection", "dead"),
        ("refusing", 8.0, "refused", "dead"),
        ("frozen", 29.0, "hangs", "hung"),
    ],
)
async def test_a_spark_that_is_off_is_told_within_ten_seconds_wherever_it_happens(
    fault, within, word, answering
):
    for offset in TENTHS:
        line = Line(FakeClock())
        async with watched(line) as (store, hardware):
            await line.clock.advance(offset)
            line.is_ = fault
            for _ in range(300):
                if store.told:
                    break
                await line.clock.advance(0.1)
                passed = line.clock.monotonic() - 20 - offset
            assert store.told == [("spark1", "up", "down")]
            assert passed <= within
            assert word in store.entries[0]["data"]["reason"]
            assert hardware.sights["spark1"].answering == answering
            line.is_ = "well"
            await line.clock.advance(12)
            assert store.told[1:] == [("spark1", "down", "up")]


@pytest.mark.parametrize(("fault", "seconds"), [("off", 4.0), ("refusing", 3.8), ("slow", 60.0)])
async def test_a_hiccup_of_the_network_and_a_slow_spark_are_no_change(fault, seconds):
    for offset in TENTHS:
        line = Line(FakeClock())
        async with watched(line) as (store, _):
            await line.clock.advance(offset)
            line.is_ = fault
            await line.clock.advance(seconds)
            line.is_ = "well"
            await line.clock.advance(30)
            assert store.told == []


async def test_a_look_is_one_round_trip(clock):
    line = Line(clock)
    async with watched(line):
        before = line.asked
        await clock.advance(10 * PACE.host_seconds)
        assert line.asked - before == 10
