"""What ``ip`` says on a simulated Spark: sockets, Wi-Fi, the ports of the ConnectX-7, tunnels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Extra: TypeAlias = Literal["wifi", "wifi_only", "wireguard", "tailscale", "link_local"]
"""``wifi``: a second default route. ``wifi_only``: the cable is not plugged in."""
_CX7 = ("enp1s0f0np0", "enp1s0f1np1", "enP2p1s0f0np0", "enP2p1s0f1np1")
_LOCAL, _TAIL = "169.254", "100.100"
_UP = ("enp1s0f1np1", "enP2p1s0f1np1")
_FLAGS = "<BROADCAST,MULTICAST,UP,LOWER_UP>"
_NO_CARRIER = "<NO-CARRIER,BROADCAST,MULTICAST,UP>"
_FOREVER = "\\       valid_lft forever preferred_lft forever"
USUAL: dict[str, frozenset[Extra]] = {
    "spark1": frozenset({"wireguard"}),
    "spark2": frozenset({"wifi"}),
}


@dataclass
class HostNetwork:
    """The interfaces of one host."""

    address: str
    cable: str
    """Hardware addresses."""
    wifi: str
    number: int
    extras: frozenset[Extra] = field(default_factory=frozenset)

    @property
    def broadcast(self) -> str:
        """Where a packet for everybody on its network goes."""
        return self.address.rpartition(".")[0] + ".255"

    def answer(self, argv: Sequence[str]) -> tuple[str, str, int]:
        """Return what ``ip`` prints on both streams and its exit code."""
        words = [word for word in argv if word not in {"-4", "-o"}]
        match words:
            case ["route", "show"] | ["route"]:
                return "".join((*self._defaults(), *self._nearby())), "", 0
            case ["route", "show", "default"]:
                return "".join(self._defaults()), "", 0
            case ["addr", "show"] | ["address", "show"] | ["a"]:
                return "".join(self._addresses()), "", 0
            case ["link", "show", "type", "wireguard"]:
                return "".join(self._tunnel()), "", 0
            case ["link", "show"] | ["link"]:
                return "".join((*self._links(), *self._tunnel())), "", 0
            case _:
                shown = words[0] if words else ""
                return "", f'Object "{shown}" is unknown, try "ip help".\n', 1

    @property
    def _cabled(self) -> bool:
        return "wifi_only" not in self.extras

    @property
    def _wireless(self) -> bool:
        return bool(self.extras & {"wifi", "wifi_only"})

    def _interfaces(self) -> Iterator[tuple[str, str, int]]:
        """Yield (name, address, metric) of what leads outside."""
        if self._cabled:
            yield "enP7s7", self.address, 100
        if self._wireless:
            yield "wlP9s9", self._second if self._cabled else self.address, 600

    @property
    def _second(self) -> str:
        net, _, last = self.address.rpartition(".")
        return f"{net}.{int(last) + 100}"

    def _defaults(self) -> Iterator[str]:
        gateway = self.address.rpartition(".")[0] + ".1"
        for name, address, metric in self._interfaces():
            yield f"default via {gateway} dev {name} proto dhcp src {address} metric {metric} \n"

    def _nearby(self) -> Iterator[str]:
        net = self.address.rpartition(".")[0] + ".0/24"
        for name, address, metric in self._interfaces():
            yield f"{net} dev {name} proto kernel scope link src {address} metric {metric} \n"

    def _addresses(self) -> Iterator[str]:
        yield f"1: lo    inet 127.0.0.1/8 scope host lo{_FOREVER}\n"
        numbers = {"enP7s7": 2, "wlP9s9": 3}
        for name, address, _metric in self._interfaces():
            yield (
                f"{numbers[name]}: {name}    inet {address}/24 brd {self.broadcast} scope global "
                f"dynamic noprefixroute {name}\\       valid_lft 70021sec preferred_lft 70021sec\n"
            )
        for at, name in enumerate(_UP):
            if "link_local" in self.extras:
                shown = f"{_LOCAL}.{40 + at}.{self.number + 10}/16 brd {_LOCAL}.255.255"
            else:
                shown = f"192.168.{177 + at}.{self.number + 10}/24 brd 192.168.{177 + at}.255"
            yield f"{4 + at}: {name}    inet {shown} scope global noprefixroute {name}{_FOREVER}\n"
        if "wireguard" in self.extras:
            yield f"9: wg0    inet 203.0.113.{self.number + 5}/24 scope global wg0{_FOREVER}\n"
        if "tailscale" in self.extras:
            yield (
                f"10: tailscale0    inet {_TAIL}.20.{self.number}/32 scope global "
                f"tailscale0{_FOREVER}\n"
            )

    def _links(self) -> Iterator[str]:
        yield (
            "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT "
            "group default qlen 1000\\    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n"
        )
        rows = [("enP7s7", self.cable, self._cabled), ("wlP9s9", self.wifi, self._wireless)]
        rows += [
            (name, f"02:00:5e:20:{self.number:02x}:{at:02x}", name in _UP)
            for at, name in enumerate(_CX7)
        ]
        for at, (name, mac, up) in enumerate(rows, 2):
            flags, state = (_FLAGS, "UP") if up else (_NO_CARRIER, "DOWN")
            yield (
                f"{at}: {name}: {flags} mtu 1500 qdisc mq state {state} mode DEFAULT group default "
                f"qlen 1000\\    link/ether {mac} brd ff:ff:ff:ff:ff:ff\n"
            )
        if "tailscale" in self.extras:
            yield (
                "10: tailscale0: <POINTOPOINT,MULTICAST,NOARP,UP,LOWER_UP> mtu 1280 qdisc fq_codel "
                "state UNKNOWN mode DEFAULT group default qlen 500\\    link/none \n"
            )

    def _tunnel(self) -> Iterator[str]:
        if "wireguard" in self.extras:
            yield (
                "9: wg0: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1420 qdisc noqueue state UNKNOWN mode "
                "DEFAULT group default qlen 1000\\    link/none \n"
            )
