"""Where nothing is ever sent: addresses of the machine's own network, of clouds, of ourselves."""

import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from spark_common.forbidden_address import IpAddress, forbidden


def is_this_machine(address: IpAddress) -> bool:
    """Say whether an address is one of this machine's own: only those can be listened on."""
    if address.is_loopback:
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class TargetGuard:
    """Decides about a host with all the addresses behind it, anew at every try."""

    gateway_ports: Collection[int] = ()
    """Where our own gateway listens; a delivery there could change what runs."""
    gateway_names: Collection[str] = field(default_factory=lambda: ("gateway",))
    own: Callable[[IpAddress], bool] = is_this_machine

    def refusal(self, host: str, port: int, addresses: Sequence[IpAddress]) -> str | None:
        """Return why nothing may be sent there, as a sentence, or None."""
        for address in addresses:
            if (why := forbidden(address)) is not None:
                return f"this target {why}"
        if port in self.gateway_ports and (
            host in self.gateway_names or any(self.own(address) for address in addresses)
        ):
            return (
                "this target is spark-control itself: a delivery must not reach its own "
                "control routes"
            )
        return None
