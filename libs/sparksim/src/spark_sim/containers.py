"""A container as docker knows it, and its words for ``docker inspect``."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from spark_sim.pace import now, rfc3339


def image_id(tag: str) -> str:
    """Return the 64 hex digits of an image that is the same on both hosts."""
    return hashlib.sha256(f"image {tag}".encode()).hexdigest()


@dataclass(frozen=True)
class ContainerSpec:
    """What ``docker run`` was asked for."""

    image: str
    name: str
    command: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    network: str = "bridge"
    restart: str = "no"
    auto_remove: bool = False
    privileged: bool = False
    entrypoint: str | None = None
    ports: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def published(self) -> tuple[tuple[int, int], ...]:
        """(port of the host, port of the container) of each ``-p``."""
        found = []
        for item in self.ports:
            outside, _, inside = item.rpartition(":")
            host = outside.rpartition(":")[2]
            if host.isdigit() and inside.partition("/")[0].isdigit():
                found.append((int(host), int(inside.partition("/")[0])))
        return tuple(found)


@dataclass
class Container:
    """A container and its state; ``detached`` are the commands that ``exec -d`` started."""

    id: str
    spec: ContainerSpec
    image_id: str
    status: str = "running"
    exit_code: int = 0
    oom_killed: bool = False
    restart_count: int = 0
    health: str | None = None
    """What its own health check says; None where it has none."""
    started_at: datetime = field(default_factory=now)
    finished_at: datetime | None = None
    detached: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)

    @property
    def running(self) -> bool:
        """Whether its first process lives."""
        return self.status == "running"

    @property
    def alive(self) -> bool:
        """Whether docker keeps it up: it runs, or is about to be started again."""
        return self.status in ("running", "restarting")

    def inspection(self) -> dict[str, object]:
        """Return what ``docker inspect`` shows."""
        finished = "0001-01-01T00:00:00Z"
        return {
            "Id": self.id,
            "Created": rfc3339(self.started_at),
            "Path": (self.spec.command or ("",))[0],
            "Args": list(self.spec.command[1:]),
            "State": {
                "Status": self.status,
                "Running": self.running,
                "Paused": False,
                "Restarting": self.status == "restarting",
                "OOMKilled": self.oom_killed,
                "Dead": self.status == "dead",
                "Pid": 4000 + int(self.id[:4], 16) % 20000 if self.running else 0,
                "ExitCode": self.exit_code,
                "Error": "",
                "StartedAt": rfc3339(self.started_at),
                "FinishedAt": rfc3339(self.finished_at) if self.finished_at else finished,
                "Health": {"Status": self.health, "FailingStreak": 0} if self.health else None,
            },
            "Image": f"sha256:{self.image_id}",
            "Name": f"/{self.spec.name}",
            "RestartCount": self.restart_count,
            "Platform": "linux",
            "HostConfig": {
                "AutoRemove": self.spec.auto_remove,
                "NetworkMode": self.spec.network,
                "Privileged": self.spec.privileged,
                "RestartPolicy": {"Name": self.spec.restart, "MaximumRetryCount": 0},
                "Binds": list(self.spec.volumes),
                "PortBindings": {
                    f"{inside}/tcp": [{"HostIp": "", "HostPort": str(outside)}]
                    for outside, inside in self.spec.published
                },
            },
            "Mounts": [
                {"Type": "bind", "Source": source, "Destination": target}
                for source, _, target in (item.partition(":") for item in self.spec.volumes)
            ],
            "Config": {
                "Hostname": self.id[:12],
                "Env": list(self.spec.env),
                "Cmd": list(self.spec.command),
                "Image": self.spec.image,
                "Entrypoint": None,
                "Labels": dict(item.partition("=")[::2] for item in self.spec.labels),
            },
        }
