"""Which addresses nobody has to be asked at: those of clouds, and those of no single machine."""

import ipaddress
from collections.abc import Iterable
from typing import Any, TypeAlias

IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA: frozenset[IpAddress] = frozenset(
    {
        # Beside the link-local ones: Alibaba, Oracle, Azure's wire server, AWS and Google by IPv6.
        ipaddress.IPv4Address(bytes((100, 100, 100, 200))),
        ipaddress.IPv4Address(bytes((192, 0, 0, 192))),
        ipaddress.IPv4Address(bytes((168, 63, 129, 16))),
        ipaddress.IPv6Address("fd00:ec2::254"),
        ipaddress.IPv6Address("fd20:ce::254"),
    }
)
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_TRANSLATED = tuple(
    ipaddress.ip_network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96")
)
"""NAT64, its local form, and the earlier form of both."""
_COMPATIBLE = ipaddress.ip_network("::/96")


def forbidden(address: IpAddress) -> str | None:
    """Return why nothing is sent to an address, or None; LAN and loopback are allowed.

    The sentence goes on after "this target".
    """
    if isinstance(address, ipaddress.IPv6Address) and (inner := _inside(address)) is not None:
        if address.ipv4_mapped is not None:
            return "is an IPv4 address written as IPv6; write the IPv4 address itself"
        if (why := forbidden(inner)) is not None:
            return why
    if address in _METADATA:
        return "is where clouds keep the metadata of their machines"
    if address.is_link_local:
        return "is a link-local address, where clouds keep the metadata of their machines"
    if address.is_unspecified or (address.version == 4 and address in _THIS_NETWORK):
        return "is no address of any machine"
    if address.is_multicast:
        return "is a multicast address, behind which there is not one receiver"
    if address.version == 4 and address.is_reserved:
        return "is a reserved address, behind which there is no machine"
    return None


def addresses_in(found: Iterable[tuple[Any, ...]]) -> list[IpAddress]:
    """Return every address of what ``getaddrinfo`` answered, each once."""
    return list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0])) for entry in found))


def _inside(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address carries, in any of the known ways."""
    carried = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
    if carried is not None:
        return carried
    compatible = address in _COMPATIBLE and int(address) > 1
    if compatible or any(address in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return None
