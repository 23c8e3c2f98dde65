"""Looking at Sparks that answer, hang, crawl and are gone; history."""

import asyncio
import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spark_common.errors import (
    DeadlineExceededError,
    HostKeyChangedError,
    HostUnreachableError,
    RemoteCommandError,
    UnavailableError,
)
from spark_common.remote.command import RemoteResult
from spark_common.testing.wait import until
from spark_health.hosts.history import STEPS, HistoryBook
from spark_health.hosts.keeping import Keeper
from spark_health.hosts.network_here import TcpReach
from spark_health.hosts.remembering import Remembered
from spark_health.hosts.showing import show
from spark_health.hosts.testing.fakes import GONE, MAC, QuietShell, watch_of
from spark_health.testing.spark_says import answer

SLOW_END = DeadlineExceededError("'sh' on Spark 1 did not end within 10 s and was stopped")


@pytest.mark.parametrize(
    ("script", "alive", "accepts", "answering"),
    [
        (answer(), None, False, "well"),
        (answer(smi=(124, "")), None, False, "partly"),
        (answer(containers=(124, "")), None, False, "partly"),
        (answer(containers=("skipped", "")), None, False, "slow"),
        (answer(smi=(124, ""), containers=("skipped", "")), None, False, "partly"),
        (GONE, None, False, "dead"),
        (GONE, None, True, "hung"),
        (HostUnreachableError("Spark 1 refuses SSH connections: connection refused."), None, True,
         "dead"),
        (HostUnreachableError("there is no route to Spark 1"), None, False, "dead"),
        (HostUnreachableError("permission denied (publickey)"), None, True, "refused"),
        (HostUnreachableError("the SSH key (SSH_KEY_PATH) cannot be read"), None, True, "unknown"),
        (HostKeyChangedError("Spark 1 has another host key"), None, True, "refused"),
        (SLOW_END, SLOW_END, True, "hung"),
        (SLOW_END, GONE, True, "hung"),
        (SLOW_END, "107816.42 2105432.11", False, "dead"),
        (SLOW_END, "107816.42 2105432.11", True, "partly"),
        (RemoteCommandError("wrote more than 8 MiB"), None, True, "unknown"),
        (RemoteResult(None, "", "lost"), None, True, "dead"),
        (RemoteResult(0, "This account is currently not available.\n", ""), None, True, "partly"),
        (RemoteResult(127, "", "sh: not found"), None, True, "partly"),
    ],
)  # fmt: skip
async def test_hung_slow_and_dead_are_told_apart(clock, script, alive, accepts, answering) -> None:
    spark = QuietShell(clock)
    spark.says = {("spark1", "sh"): script, ("spark1", "cat"): alive}
    sight = await watch_of(spark, accepts=accepts).look("spark1")
    assert sight.answering == answering
    if answering != "well":
        assert sight.reason


async def test_one_round_trip_per_poll_and_all_of_it_now_and_then(clock) -> None:
    spark = QuietShell(clock)
    watch = watch_of(spark)
    for _ in range(8):
        await watch.look("spark1")
        await clock.advance(5)
    assert len(spark.asked) == 8
    widths = [command.argv[4] for _, command in spark.asked]
    assert widths == ["whole", *["quick"] * 5, "whole", "quick"]
    for _, command in spark.asked:
        assert command.stdin is not None
        assert b"sudo -n -l" in command.stdin


async def test_old_numbers_are_kept_with_their_age_and_never_shown_as_new(clock) -> None:
    spark = QuietShell(clock)
    watch = watch_of(spark)
    await watch.look("spark1")
    spark.says[("spark1", "sh")] = GONE
    await clock.advance(300)
    sight = await watch.look("spark1")
    host = show(sight, clock.now(), clock.monotonic(), {}, None, None)
    assert (host.answering, host.stale, host.age_seconds) == ("dead", True, 300.0)
    assert host.memory is not None
    assert host.steps
    assert not host.can_shut_down
    never = show(watch.sights["spark2"], clock.now(), clock.monotonic(), {}, None, None)
    assert (never.answering, never.memory, never.stale) == ("unknown", None, False)


async def test_one_spark_that_hangs_keeps_nobody_waiting(clock) -> None:
    spark = QuietShell(clock)
    stuck = asyncio.Event()

    class Half(QuietShell):
        async def run(self, host, command, *, timeout_seconds=30.0):
            if host == "spark1":
                await stuck.wait()
            return await super().run(host, command, timeout_seconds=timeout_seconds)

    half = Half(clock)
    watch = watch_of(half)
    running = asyncio.create_task(watch.run())
    await clock.advance(20)
    assert len(half.asked) >= 4
    assert watch.sights["spark2"].answering == "well"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert spark.asked == []


async def test_a_port_that_listens_accepts_and_one_that_does_not_does_not() -> None:
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert await TcpReach().accepts("127.0.0.1", port)
    server.close()
    await server.wait_closed()
    assert not await TcpReach().accepts("127.0.0.1", port)
    assert not await TcpReach().accepts("no-such-host.invalid", port)


async def test_a_port_that_says_nothing_at_all_does_not_accept() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        # Nobody takes these: the next one gets no answer, as from a machine that is off.
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        assert not await TcpReach(0.05).accepts(*full.getsockname())


AT = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


def test_history_is_rolled_up_into_three_steps_and_does_not_grow(tmp_path: Path) -> None:
    book = HistoryBook(tmp_path / "h.sqlite")
    book.add("spark1", AT, {"load": 1.0, "memory_used": 10.0})
    book.add("spark1", AT + timedelta(seconds=5), {"load": 3.0, "memory_used": 30.0})
    book.add("spark2", AT, {"load": 9.0})
    (point,) = book.read("spark1", "hour", AT + timedelta(minutes=1)).points
    assert (point.at, point.load, point.memory_used, point.memory_most) == (AT, 2.0, 20.0, 30.0)
    assert point.gpu_percent is None
    for hour in range(24 * 9):
        book.add("spark1", AT + timedelta(hours=hour), {"load": 1.0})
    end = AT + timedelta(hours=24 * 9 - 1)
    kept = {span: len(book.read("spark1", span, end).points) for span in STEPS}
    assert kept == {"hour": 1, "day": 24, "week": 168}
    assert book.size() < 250
    book.close()


def test_what_a_wrong_clock_wrote_ahead_is_forgotten_and_not_shown(tmp_path: Path) -> None:
    book = HistoryBook(tmp_path / "h.sqlite")
    book.add("spark1", AT + timedelta(days=400), {"load": 1.0})
    book.add("spark1", AT, {"load": 2.0})
    assert [point.load for point in book.read("spark1", "hour", AT).points] == [2.0]
    assert book.size() == 3
    book.close()


def test_history_survives_a_process_that_is_killed(tmp_path: Path) -> None:
    book = HistoryBook(tmp_path / "h.sqlite")
    book.add("spark1", AT, {"load": 1.0})
    # Not closed: what a killed process leaves, with its write-ahead log.
    other = HistoryBook(tmp_path / "h.sqlite")
    assert len(other.read("spark1", "hour", AT).points) == 1
    mode = sqlite3.connect(tmp_path / "h.sqlite").execute("PRAGMA journal_mode").fetchone()
    assert mode == ("wal",)
    other.close()
    book.close()


async def test_a_damaged_or_forbidden_file_stops_no_looking(tmp_path: Path, clock, redis) -> None:
    spark = QuietShell(clock)
    (tmp_path / "hardware.sqlite").write_bytes(b"this is no database at all, " * 100)
    remembered = Remembered(redis, clock)
    keeper = Keeper(tmp_path, remembered, clock)
    watch = watch_of(spark, told=keeper.take)
    running = asyncio.create_task(keeper.run())
    await watch.look("spark1")
    await until(lambda: "spark1" in remembered.addresses, "the address is remembered")
    assert len((await keeper.history("spark1", "hour")).points) == 1
    assert keeper.problems == []
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await keeper.close()
    again = Remembered(redis, clock)
    await again.recall()
    assert again.addresses["spark1"].mac == MAC

    blocked = tmp_path / "a-file"
    blocked.write_text("")
    lame = Keeper(blocked / "below", remembered, clock)
    with pytest.raises(UnavailableError, match="history of the hardware"):
        await lame.history("spark1", "hour")
    await lame.close()
