"""Services as the settings have them, on real Sparks."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import httpx
from pydantic import SecretStr
from redis.asyncio import Redis

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.jobs import RedisJobRecords
from spark_common.jobs.keys import live as living
from spark_common.owner import LiveSettings
from spark_common.redis_access import asked
from spark_common.remote import RemoteShell
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.settings import HostSettings
from spark_health.deep.scene import BusScene
from spark_health.nim.record import RECORDS as NIM_RECORDS
from spark_health.nim.yaml_book import YamlNims
from spark_health.remedies.holding import Leases
from spark_health.services.bridge.record import BRIDGE_UPDATES, RECORDS
from spark_health.services.pace import ServicePace
from spark_health.services.registry import Owned
from spark_health.services.service import Service
from spark_health.services.wiring import Others, Outside, ServicePart, wire_services
from spark_health.settings import HealthSettings
from spark_health.watching.first.places import Places
from spark_health.watching.watch import Watch

_AWAY: Final = "the record of jobs is away; try again soon"
_JOBS: Final = {
    "overlay": "the files of the speech container are being replaced",
    "install": "the embedding server is being installed",
    NIM_RECORDS: "a NIM is being installed",
}


def services_of(
    settings: HealthSettings,
    live: LiveSettings,
    times: SshTimes,
    *,
    redis: Redis,
    bus: Bus,
    clock: Clock,
    http: httpx.AsyncClient,
    shell: RemoteShell,
    leases: Leases,
    watch: Watch,
    places: Places,
) -> ServicePart:
    """Put them together; connects nothing and starts nothing."""
    cluster = settings.cluster

    def open_shell(host: HostSettings) -> SshShell:
        return SshShell(cluster.model_copy(update={"hosts": (host,)}), clock, times)

    async def job(service: Service) -> str | None:
        word = {"parakeet": "overlay", "embeddings": "install"}.get(service.name)
        word = NIM_RECORDS if service.origin == "nim" else word
        if word is not None and await asked(redis.zcard(living(word)), _AWAY):
            return f"{_JOBS[word]}; wait until that is over"
        return None

    owned = Owned(
        runtime=live.of(cluster.runtime),
        parakeet=live.of(settings.parakeet),
        kokoro=live.of(settings.kokoro),
        magpie=live.of(settings.magpie),
        embed=live.of(settings.embed),
        qdrant=live.of(settings.qdrant),
        bridge=live.of(settings.matrix_bridge),
    )
    ngc = live.of(settings.ngc)

    def secrets() -> Sequence[str]:
        keys: list[SecretStr | None] = [ngc().ngc_api_key, owned.qdrant().qdrant_api_key]
        found = [key.get_secret_value() for key in keys if key is not None]
        return [key for key in found if len(key) >= 4]

    return wire_services(
        Outside(redis, bus, clock, http, shell, open_shell),
        Others(
            scene=BusScene(bus, tuple(host.name for host in cluster.hosts)),
            leases=leases,
            target=watch.view,
            look_now=watch.look_now,
            job=job,
            nims=YamlNims(settings.data_dir).read,
        ),
        cluster=cluster,
        places=places,
        owned=owned,
        records=RedisJobRecords(redis, replace(BRIDGE_UPDATES, name=RECORDS)),
        secrets=secrets,
        data_dir=settings.data_dir,
        pace=ServicePace(settings.pace.health_look_seconds),
    )
