"""For tests: two simulated Sparks for one test, and the settings under which they are reached."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from spark_common.settings import ClusterSettings, HostSettings
from spark_sim.cluster import SimulatedCluster
from spark_sim.config import SimConfig


@dataclass(frozen=True)
class TwoSparks:
    """The Sparks that run, and what a service must know to reach them over SSH."""

    cluster: SimulatedCluster
    settings: ClusterSettings


@asynccontextmanager
async def two_sparks(folder: Path, **config: Any) -> AsyncIterator[TwoSparks]:
    """Run two Sparks with a key, addresses and ports of their own, no neighbours, quick answers.

    ``folder`` gets the key, the known hosts and, in ``sim``, the Sparks themselves; ``config`` is
    what else differs from ``SimConfig``. Raises OSError when an address or a port is taken.
    """
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(str(folder / "key"))
    (folder / "key").chmod(0o600)
    net = ".".join(str(random.randint(20, 250)) for _ in range(2))  # noqa: S311 - no secret
    usual: dict[str, Any] = {
        "directory": folder / "sim",
        "authorized_key": key.export_public_key().decode().strip(),
        "spark1": f"127.{net}.11",
        "spark2": f"127.{net}.12",
        "ssh_port": 0,
        "control_port": 0,
        "tokens_per_second": 4000.0,
        "neighbours": False,
        "service_containers": False,
    }
    async with SimulatedCluster(SimConfig(**(usual | config))) as cluster:
        yield TwoSparks(
            cluster,
            ClusterSettings(
                hosts=tuple(
                    HostSettings(
                        name=name,
                        label=f"Spark {name[-1]}",
                        address=host.address,
                        user="spark",
                        ssh_port=host.ssh_port,
                    )
                    for name, host in cluster.hosts.items()
                ),
                ssh_key_path=folder / "key",
                known_hosts_path=folder / "known",
            ),
        )
