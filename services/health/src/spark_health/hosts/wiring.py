"""The Sparks as machines, put together."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from redis.asyncio import Redis

from spark_common.clock import Clock
from spark_common.contracts.hardware import ConsumerName
from spark_common.remote.port import RemoteShell
from spark_common.settings import ClusterSettings
from spark_health.advice.advising import Advising
from spark_health.feature import Feature
from spark_health.hosts.asking import Asking
from spark_health.hosts.keeping import Keeper
from spark_health.hosts.looking import HardwareWatch, LookTimes
from spark_health.hosts.network_here import TcpReach, UdpBroadcast
from spark_health.hosts.power import Power
from spark_health.hosts.probe import SparkProbe
from spark_health.hosts.remembering import Remembered
from spark_health.hosts.verbs import HardwareVerbs
from spark_health.remedies.telling import tell_soon
from spark_health.settings import WatchPace
from spark_health.watching.ports import Probe


def wire_hosts(
    *,
    redis: Redis,
    shell: RemoteShell,
    cluster: ClusterSettings,
    pace: WatchPace,
    clock: Clock,
    data_dir: Path,
    known: Callable[[], Mapping[str, ConsumerName]] = dict,
    disabled: Callable[[], frozenset[str]] = frozenset,
) -> Feature:
    """Put it together; starts nothing. ``known``: what containers are, by their names."""
    remembered = Remembered(redis, clock)
    keeper = Keeper(data_dir / "health", remembered, clock)
    times = LookTimes(between=pace.health_hardware_seconds, patience=pace.health_patience_seconds)
    watch = HardwareWatch(shell, cluster.hosts, TcpReach(), clock, times, keeper.take)
    power = Power(watch, shell, UdpBroadcast(), remembered, clock, partial(tell_soon, redis))
    verbs = HardwareVerbs(watch, keeper, remembered, power, Advising(), known, clock)
    knocking = TcpReach(pace.silence_seconds)
    probes = [
        SparkProbe(Asking(shell, host, knocking, clock, pace), watch, clock, pace)
        for host in cluster.hosts
    ]

    def wanted() -> Sequence[Probe]:
        hidden = disabled()
        return [probe for probe in probes if probe.target.name not in hidden]

    return Feature(
        verbs=verbs.verbs(),
        background=(watch.run, keeper.run),
        probes=wanted,
        close=keeper.close,
    )
