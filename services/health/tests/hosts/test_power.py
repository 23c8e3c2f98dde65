"""Waking and turning off: through whom, by which rule, and what is told of it."""

import pytest

from spark_common.contracts.hardware import TurnOff, WakeAddress, WakeHost
from spark_common.errors import (
    ConflictError,
    DeadlineExceededError,
    InvalidRequestError,
    NotFoundError,
    RemoteCommandError,
    UnavailableError,
)
from spark_common.events import ServiceAction
from spark_common.remote.command import RemoteResult
from spark_health.hosts.magic import packet, wake_command
from spark_health.hosts.network_here import UdpBroadcast
from spark_health.hosts.power import Power
from spark_health.hosts.remembering import Remembered, Sent
from spark_health.hosts.showing import show
from spark_health.hosts.testing.fakes import GONE, MAC, Packets, QuietShell, watch_of
from spark_health.testing.spark_says import answer

RULES = "User alice may run:\n    (root) NOPASSWD: /usr/local/bin/spark-shutdown"
SLOW_END = DeadlineExceededError("'sh' on Spark 1 did not end within 10 s and was stopped")


def test_the_packet_is_102_bytes_and_nothing_else_is_an_address() -> None:
    assert len(packet(MAC)) == 102
    assert packet(MAC) == b"\xff" * 6 + bytes.fromhex("02005e100001") * 16
    for wrong in ("", "ff:ff:ff:ff:ff:ff", "02:00:5e:10:00", "02:00:5e:10:00:01; id", "$(id)"):
        with pytest.raises(InvalidRequestError):
            wake_command(wrong, ("127.0.1.255",))


class Bench:
    """Power over a shell, packets and a Redis of its own."""

    def __init__(self, clock, redis, *, works: bool = True) -> None:
        self.spark = QuietShell(clock)
        self.packets = Packets(works=works)
        self.watch = watch_of(self.spark)
        self.remembered = Remembered(redis, clock)
        self.told: list[ServiceAction] = []
        self.power = Power(self.watch, self.spark, self.packets, self.remembered, clock, self._tell)
        self.clock = clock

    async def _tell(self, _: str, event: ServiceAction) -> None:
        self.told.append(event)

    async def off(self, name: str = "spark1") -> None:
        self.spark.says[(name, "sh")] = GONE
        for one in ("spark1", "spark2"):
            await self.watch.look(one)

    def know(self) -> None:
        self.remembered.addresses["spark1"] = WakeAddress(
            mac=MAC, interface="enP7s7", wired=True, broadcast="127.0.1.255",
            seen_at=self.clock.now(),
        )  # fmt: skip


async def test_a_spark_is_woken_through_the_other_and_watched_for_three_minutes(
    clock, redis
) -> None:
    bench = Bench(clock, redis)
    await bench.off()
    bench.know()
    bench.spark.asked.clear()
    attempt = await bench.power.wake(WakeHost(name="spark1", requested_by="Alice"))
    ((host, command),) = bench.spark.asked
    assert host == "spark2"
    assert command.argv == ("sh", "-s", MAC, "127.0.1.255", "255.255.255.255")
    assert (attempt.state, attempt.via, bench.packets.sent) == ("waiting", "spark2", [])
    assert "best effort" in attempt.sentence
    (event,) = bench.told
    assert (event.service, event.host, event.action) == ("spark1", "spark1", "wake")
    assert (event.requested_by, event.ok) == ("Alice", True)
    assert "through spark2" in event.message

    def wake_now():
        sent = bench.remembered.sent["spark1"]
        sight = bench.watch.sights["spark1"]
        return show(sight, clock.now(), clock.monotonic(), {}, None, sent).wake.state

    await clock.advance(179)
    assert wake_now() == "waiting"
    await clock.advance(2)
    assert wake_now() == "gave_up"
    again = Remembered(redis, clock)
    await again.recall()
    assert again.sent["spark1"] == Sent(via="spark2", sent_at=attempt.sent_at, requested_by="Alice")
    bench.spark.says.clear()
    await bench.watch.look("spark1")
    assert wake_now() == "awake"


@pytest.mark.parametrize("reason", [GONE, SLOW_END, RemoteResult(127, "", "no python3")])
async def test_without_the_other_the_packet_leaves_from_here(clock, redis, reason) -> None:
    bench = Bench(clock, redis)
    await bench.off()
    bench.know()
    bench.spark.says[("spark2", "sh")] = reason
    attempt = await bench.power.wake(WakeHost(name="spark1"))
    assert attempt.via == "direct"
    assert bench.packets.sent == [(MAC, ("127.0.1.255", "255.255.255.255"))]


async def test_what_cannot_be_woken_is_said(clock, redis) -> None:
    bench = Bench(clock, redis, works=False)
    with pytest.raises(NotFoundError):
        await bench.power.wake(WakeHost(name="spark9"))
    await bench.watch.look("spark1")
    bench.know()
    with pytest.raises(ConflictError, match="awake"):
        await bench.power.wake(WakeHost(name="spark1"))
    await bench.off()
    bench.spark.says[("spark2", "sh")] = GONE
    with pytest.raises(UnavailableError, match="No packet"):
        await bench.power.wake(WakeHost(name="spark1"))
    bench.remembered.addresses.clear()
    with pytest.raises(ConflictError, match="not known"):
        await bench.power.wake(WakeHost(name="spark1"))
    assert bench.told == []


async def test_a_cable_once_seen_is_not_forgotten_for_wifi(clock, redis) -> None:
    remembered, spark = Remembered(redis, clock), QuietShell(clock)
    watch = watch_of(spark)
    await remembered.note(await watch.look("spark1"))
    spark.says[("spark1", "sh")] = answer(
        link=(0, "3: wlP9s9: <UP> mtu 1\\    link/ether 02:00:5e:10:00:11 brd ff:ff:ff:ff:ff:ff")
    )
    await clock.advance(90)
    await remembered.note(await watch.look("spark1"))
    assert remembered.addresses["spark1"].mac == MAC


async def test_a_spark_goes_off_only_by_its_rule_and_with_its_name_repeated(clock, redis) -> None:
    bench = Bench(clock, redis)
    await bench.watch.look("spark1")
    order = TurnOff(name="spark1", confirm="spark1", action="shutdown")
    with pytest.raises(ConflictError, match="no sudo rule"):
        await bench.power.turn_off(order)
    bench.spark.says[("spark1", "sh")] = answer(sudo=(0, RULES))
    await clock.advance(60)
    await bench.watch.look("spark1")
    bench.spark.asked.clear()
    with pytest.raises(InvalidRequestError, match="confirm"):
        await bench.power.turn_off(TurnOff(name="spark1", confirm="spark2", action="shutdown"))
    with pytest.raises(ConflictError, match="no sudo rule"):
        await bench.power.turn_off(TurnOff(name="spark1", confirm="spark1", action="reboot"))
    assert bench.spark.asked == []
    bench.spark.says[("spark1", "sudo")] = RemoteResult(0, "", "")
    await bench.power.turn_off(order)
    ((host, command),) = bench.spark.asked
    assert (host, command.argv) == ("spark1", ("sudo", "-n", "/usr/local/bin/spark-shutdown"))
    bench.spark.says[("spark1", "sudo")] = RemoteResult(1, "", "sudo: a password is required\n")
    with pytest.raises(RemoteCommandError, match="refused"):
        await bench.power.turn_off(order)
    assert [(one.action, one.ok) for one in bench.told] == [("shutdown", True), ("shutdown", False)]
    assert "refused" in bench.told[1].message
    await clock.advance(60)
    with pytest.raises(ConflictError, match="does not answer"):
        await bench.power.turn_off(order)


async def test_a_packet_without_a_network_is_not_said_to_be_sent() -> None:
    assert not await UdpBroadcast().send(MAC, ("not an address",))
