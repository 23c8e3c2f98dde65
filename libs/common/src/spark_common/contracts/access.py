"""How spark-control gets into the Sparks: its public key, and whether a login works right now."""

from datetime import datetime
from typing import Literal

from spark_common.contracts.hardware import HostName
from spark_common.contracts.rpc import Reply, Request, Rpc


class GetAccess(Request):
    """Ask for our public key and where it belongs."""


class HostAccess(Reply):
    """A Spark as the settings name it."""

    name: str
    label: str
    address: str
    user: str
    ssh_port: int


class Access(Reply):
    """Our public key, and the Sparks that have to know it."""

    public_key: str | None = None
    """One line of OpenSSH's; null while the private key cannot be read."""
    fingerprint: str | None = None
    """`SHA256:...`, as `ssh-keygen -l` shows it."""
    command: str | None = None
    """What to paste into a shell of the Spark, as the user of the settings; twice does no harm."""
    problem: str = ""
    """Why there is no key, and what to do."""
    hosts: list[HostAccess]


GET_ACCESS = Rpc("rpc.health.access.get", GetAccess, Access)


class TryAccess(Request):
    """Log in to a Spark anew and look around."""

    name: HostName


class AccessStep(Reply):
    """One thing that was tried; what comes after one that failed is not tried."""

    step: Literal["network", "login", "docker", "gpu", "launcher"]
    ok: bool
    sentence: str
    action: str = ""
    """What to do about it; empty when it went well."""


class AccessTest(Reply):
    """What came of it."""

    name: str
    label: str
    ok: bool
    """We can log in: the Spark is connected. The other steps say what it still lacks."""
    steps: list[AccessStep]
    seconds: float
    at: datetime


TRY_ACCESS = Rpc("rpc.health.access.try", TryAccess, AccessTest)
