"""Where the speech container is, by the settings."""

from dataclasses import dataclass

from spark_common.settings import HostSettings, HostsSettings
from spark_common.settings.support import ParakeetSettings


@dataclass(frozen=True)
class Target:
    """The container, and the Spark it runs on if it is one."""

    address: str
    port: int
    container: str
    host: HostSettings | None
    user: str | None = None
    """Whose docker it is; that of the Spark's own user for None."""

    @property
    def url(self) -> str:
        """Address of its server."""
        name = f"[{self.address}]" if ":" in self.address else self.address
        return f"http://{name}:{self.port}"


def target_of(settings: ParakeetSettings, hosts: HostsSettings) -> Target:
    """Return where it is: the machine that is named, or the first Spark."""
    address = settings.parakeet_host or hosts.hosts[0].address
    host = next((one for one in hosts.hosts if one.address == address), None)
    return Target(
        address,
        settings.parakeet_port,
        settings.parakeet_container,
        host,
        settings.parakeet_user,
    )
