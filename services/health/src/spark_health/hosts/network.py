"""Reads what ``ip`` says without privileges: default routes, private networks, who can be woken."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from spark_common.contracts.hardware import Badge, Route
from spark_common.remote.figures import whole

_INTERFACE: Final = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)
_MAC: Final = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.ASCII)
_WIREGUARD: Final = re.compile(r"(wg|starttunnel|nm-wg)", re.ASCII)
_FAST: Final = re.compile(r"s[0-9]+f[0-9]+np[0-9]+\Z", re.ASCII)
"""Ports of the ConnectX-7, between the Sparks: no magic packet goes there."""
_SOCKET: Final = "enP7s7"
"""The RJ45 socket of a Spark."""
_TAILSCALE: Final = ipaddress.ip_network((100 << 24 | 64 << 16, 10))
"""Shared address space, of which Tailscale gives everybody one."""


@dataclass(frozen=True)
class Address:
    """An IPv4 address of an interface."""

    interface: str
    address: str
    network: str
    broadcast: str | None


def read_routes(lines: Sequence[str]) -> tuple[Route, ...]:
    """Return the default routes, the one in use first."""
    found = []
    for line in lines:
        words = line.split()
        if words[:1] != ["default"]:
            continue
        said = dict(zip(words[1::2], words[2::2], strict=False))
        name, metric = said.get("dev", ""), said.get("metric")
        number = 0 if metric is None else whole(metric)
        if _INTERFACE.fullmatch(name) and number is not None:
            found.append(
                Route(
                    interface=name,
                    kind=kind_of(name),
                    gateway=_ipv4(said.get("via")),
                    source=_ipv4(said.get("src")),
                    metric=number,
                )
            )
    return tuple(sorted(found, key=lambda route: route.metric))


def read_addresses(lines: Sequence[str]) -> tuple[Address, ...]:
    """Return the IPv4 addresses, the loopback's left out."""
    found = []
    for line in lines:
        words = line.split()
        if len(words) < 4 or words[2] != "inet" or not _numbered(words[0]):
            continue
        name = words[1].partition("@")[0]
        try:
            one = ipaddress.IPv4Interface(words[3])
        except ValueError:
            continue
        if name == "lo" or not _INTERFACE.fullmatch(name):
            continue
        told = words[words.index("brd") + 1 :] if "brd" in words else []
        broadcast = _ipv4(next(iter(told), None))
        if broadcast is None and one.network.prefixlen < 31:
            broadcast = str(one.network.broadcast_address)
        found.append(Address(name, str(one.ip), str(one.network), broadcast))
    return tuple(found)


def read_links(lines: Sequence[str]) -> dict[str, str]:
    """Return the hardware address of every interface that has one of its own."""
    found: dict[str, str] = {}
    for line in lines:
        words = line.replace("\\", " ").split()
        if len(words) < 2 or not _numbered(words[0]) or "link/ether" not in words:
            continue
        name = words[1].rstrip(":").partition("@")[0]
        mac = next(iter(words[words.index("link/ether") + 1 :]), "").lower()
        if _INTERFACE.fullmatch(name) and is_mac(mac):
            found.setdefault(name, mac)
    return found


def is_mac(text: str) -> bool:
    """Whether this is the hardware address of one machine."""
    if not _MAC.fullmatch(text) or text == "00:00:00:00:00:00":
        return False
    return int(text[:2], 16) & 1 == 0


def read_badges(addresses: Sequence[Address], wireguard: Sequence[str] | None) -> tuple[Badge, ...]:
    """Return the addresses in private networks. ``wireguard``: lines of the kernel's own list."""
    names = {
        words[1].rstrip(":").partition("@")[0]
        for line in wireguard or ()
        if len(words := line.split()) > 1 and _numbered(words[0])
    }
    found = []
    for one in addresses:
        kind: Literal["wireguard", "tailscale"]
        if one.interface in names or _WIREGUARD.match(one.interface):
            kind = "wireguard"
        elif one.interface.startswith("tailscale") and (
            ipaddress.ip_address(one.address) in _TAILSCALE
        ):
            kind = "tailscale"
        else:
            continue
        found.append(Badge(kind=kind, interface=one.interface, address=one.address))
    return tuple(found)


def wake_interface(links: Mapping[str, str], routes: Sequence[Route]) -> str | None:
    """Return the interface whose card a magic packet wakes: of the cable, whatever the route.

    The Wi-Fi of the default route only where there is no cable at all.
    """
    wired = [name for name in links if kind_of(name) == "cable" and not _FAST.search(name)]
    for route in routes:
        if route.interface in wired:
            return route.interface
    if _SOCKET in wired:
        return _SOCKET
    if wired:
        return min(wired)
    return next((route.interface for route in routes if route.interface in links), None)


def kind_of(interface: str) -> Literal["cable", "wifi", "other"]:
    """Return what an interface is, by the name that systemd gives it."""
    if interface.startswith("wl"):
        return "wifi"
    return "cable" if interface.startswith(("en", "eth")) else "other"


def _numbered(word: str) -> bool:
    return word.endswith(":") and whole(word[:-1]) is not None


def _ipv4(text: str | None) -> str | None:
    try:
        return str(ipaddress.IPv4Address(text or ""))
    except ValueError:
        return None
