"""The look at simulated Sparks over SSH, with what hangs, lies and goes off there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from spark_common.clock import SystemClock
from spark_common.contracts.hardware import HostHardware, TurnOff, WakeHost
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.testing.proxy import TcpProxy
from spark_common.testing.wait import until
from spark_health.advice.advising import Advising
from spark_health.hosts.asking import Asking
from spark_health.hosts.looking import HardwareWatch, LookTimes
from spark_health.hosts.network_here import TcpReach, UdpBroadcast
from spark_health.hosts.power import Power
from spark_health.hosts.remembering import Remembered
from spark_health.hosts.showing import show
from spark_health.settings import WatchPace
from spark_sim.cluster import SimulatedCluster
from spark_sim.faults import Behaviour
from spark_sim.two_sparks import two_sparks

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]


@dataclass
class Bench:
    """Two Sparks, and what looks at them."""

    cluster: SimulatedCluster
    watch: HardwareWatch
    power: Power
    remembered: Remembered

    async def look(self, name: str) -> HostHardware:
        sight = await self.watch.look(name)
        clock = SystemClock()
        return show(
            sight,
            clock.now(),
            clock.monotonic(),
            {},
            self.remembered.addresses.get(name),
            self.remembered.sent.get(name),
        )

    async def advice(self, name: str) -> list[str]:
        shown = await self.look(name)
        sight = self.watch.sights[name]
        return [one.check for one in Advising().findings([(sight, shown)], SystemClock().now())]


@pytest_asyncio.fixture
async def bench(tmp_path, redis) -> AsyncIterator[Bench]:
    async with two_sparks(tmp_path, speed=200.0) as sparks:
        clock = SystemClock()
        shell = SshShell(sparks.settings, clock, SshTimes(connect_seconds=3, remember_seconds=0.05))
        times = LookTimes(patience=1, budget=5, whole=0)
        watch = HardwareWatch(shell, sparks.settings.hosts, TcpReach(), clock, times)
        remembered = Remembered(redis, clock)
        power = Power(watch, shell, UdpBroadcast(), remembered, clock)
        yield Bench(sparks.cluster, watch, power, remembered)
        await shell.close()


async def test_a_spark_is_read_in_one_round_trip_and_its_troubles_are_told(bench) -> None:
    before = len(bench.cluster.journal.after(0))
    host = await bench.look("spark1")
    commands = [one for one in bench.cluster.journal.after(0)[before:] if one.kind == "ssh_command"]
    assert len(commands) == 1
    assert (host.answering, host.unread) == ("well", [])
    assert (host.hostname, host.cores, host.gpu_unified_memory) == ("spark-1", 20, True)
    assert [route.kind for route in host.routes] == ["cable"]
    assert [badge.kind for badge in host.badges] == ["wireguard"]
    bench.cluster.hosts["spark1"].network.extras = frozenset({"wifi_only", "link_local"})
    assert host.memory is not None
    assert host.disk is not None
    assert not host.can_shut_down

    assert "link_local_address" in await bench.advice("spark1")
    moved = await bench.look("spark1")
    assert ([route.kind for route in moved.routes], moved.badges) == (["wifi"], [])

    for behaviour, check in {
        Behaviour.CLOCK_SKEW: "clock_skew",
        Behaviour.DRIVER_MISMATCH: "driver_mismatch",
        Behaviour.OTHER_DRIVER: "driver_deadlock",
        Behaviour.POWER_CAP: "power_cap",
        Behaviour.DESKTOP: "desktop_running",
        Behaviour.DISK_FULL: "disk_nearly_full",
        Behaviour.CACHE_FULL: "page_cache_full",
    }.items():
        await bench.cluster.behave("spark1", behaviour)
        assert check in await bench.advice("spark1")

    await bench.cluster.behave("spark1", Behaviour.DOCKER_HANG)
    hung = await bench.look("spark1")
    assert (hung.answering, hung.memory is not None) == ("partly", True)
    await bench.cluster.behave("spark1", Behaviour.SSH_HANG)
    assert (await bench.look("spark1")).answering == "hung"
    await bench.cluster.behave("spark1", Behaviour.UNREACHABLE)
    assert (await bench.look("spark1")).answering == "dead"


async def test_what_containers_allocate_is_read_of_their_control_groups(tmp_path) -> None:
    async with two_sparks(tmp_path, neighbours=True) as sparks:
        clock = SystemClock()
        shell = SshShell(sparks.settings, clock)
        watch = HardwareWatch(shell, sparks.settings.hosts, TcpReach(), clock, LookTimes())
        sight = await watch.look("spark1")
        host = show(sight, clock.now(), clock.monotonic(), {}, None, None)
        assert {one.name: one.bytes for one in host.consumers}["speech"] == 2_900_000_000
        await shell.close()


async def test_a_spark_whose_plug_is_pulled_is_told_from_one_that_hangs(tmp_path) -> None:
    clock, pace = SystemClock(), WatchPace(health_patience_seconds=4)
    async with two_sparks(tmp_path) as sparks:
        there = sparks.settings.hosts[0]
        async with TcpProxy(there.ssh_port, there.address) as line:
            host = there.model_copy(update={"address": "127.0.0.1", "ssh_port": line.port})
            shell = SshShell(sparks.settings.model_copy(update={"hosts": (host,)}), clock)
            asking = Asking(shell, host, TcpReach(pace.silence_seconds), clock, pace)

            async def says(answering: str) -> bool:
                return (await asking.ask()).answering == answering

            await until(lambda: says("well"), "it answers")
            line.freeze()
            assert (await asking.ask()).answering == "hung"
            line.thaw()
            await until(lambda: says("well"), "it answers again")
            line.vanish()
            gone = await asking.ask()
            assert gone.answering == "dead"
            assert "takes no connection" in gone.reason
            await shell.close()


async def test_a_spark_that_is_off_is_woken_through_the_other_one(bench) -> None:
    two = bench.cluster.hosts["spark2"]
    if not bench.cluster.hears_packets:
        pytest.skip("the port of magic packets is only for root")
    two.power.rules = ("/usr/local/bin/spark-shutdown",)
    for name in ("spark1", "spark2"):
        await bench.look(name)
        await bench.remembered.note(bench.watch.sights[name])
    shown = await bench.look("spark2")
    assert shown.can_shut_down
    assert [route.kind for route in shown.routes] == ["cable", "wifi"]
    await bench.power.turn_off(TurnOff(name="spark2", confirm="spark2", action="shutdown"))

    async def is_now(answering: str) -> bool:
        return (await bench.look("spark2")).answering == answering

    await until(lambda: is_now("dead"), "it is off")
    attempt = await bench.power.wake(WakeHost(name="spark2"))
    assert (attempt.state, attempt.via) == ("waiting", "spark1")
    await until(lambda: is_now("well"), "it is awake")
    shown = await bench.look("spark2")
    assert shown.wake is not None
    assert shown.wake.state == "awake"
    effects = [one.kind for one in bench.cluster.journal.after(0) if one.host == "spark2"]
    assert effects.count("power") == 1
    assert "magic_packet" in effects
