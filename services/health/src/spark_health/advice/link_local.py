"""Link-local addresses between the Sparks change with a reboot."""

import ipaddress

from spark_common.contracts.hardware import HostHardware
from spark_health.advice.finding import Found
from spark_health.hosts.sight import Sight


class LinkLocal:
    """A link-local address on a cable."""

    name = "link_local_address"
    heading = "The cable between the Sparks has link-local addresses"

    def find(self, sight: Sight, shown: HostHardware) -> Found | None:
        """Return it for the first such address of a cable."""
        for one in sight.rest.addresses or ():
            if one.interface.startswith("en") and ipaddress.ip_address(one.address).is_link_local:
                return Found(
                    "warning",
                    f"{one.interface} of {shown.label} has the link-local address {one.address}, "
                    "which may change with the next start: give it a static one.",
                )
        return None
