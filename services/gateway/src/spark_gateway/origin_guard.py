"""Who may change things from a browser: only pages that this gateway itself served."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from spark_gateway.errors import HttpFaultError

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class OriginGuard:
    """Refuses state-changing requests that another site made a browser send.

    Callers without ``Origin`` and ``Sec-Fetch-Site`` are not browsers and pass: a forged
    request needs a browser. ``trusted_proxies`` are the only peers whose ``X-Forwarded-*`` counts.
    """

    trusted_proxies: Sequence[Network] = ()

    def check(self, headers: Mapping[str, str], scheme: str, peer: str | None) -> None:
        """Return when the request may pass; raise HttpFaultError ``cross_origin`` (403) else.

        ``headers`` has lower-case names; ``peer`` is the address of the other end.
        """
        site = headers.get("sec-fetch-site")
        origin = headers.get("origin")
        if site in {"same-origin", "none"} or (site is None and origin is None):
            return
        if origin is not None and self._same(origin, headers, scheme, peer):
            return
        raise HttpFaultError(
            403, "cross_origin", "only pages of this dashboard may change things from a browser"
        )

    def _same(self, origin: str, headers: Mapping[str, str], scheme: str, peer: str | None) -> bool:
        host = headers.get("host", "")
        if self._trusts(peer):
            host = headers.get("x-forwarded-host", host).split(",")[0].strip()
            scheme = headers.get("x-forwarded-proto", scheme).split(",")[0].strip()
        asked = _triple(f"{scheme}://{host}")
        return asked is not None and asked == _triple(origin)

    def is_https(self, headers: Mapping[str, str], scheme: str, peer: str | None) -> bool:
        """Say whether the browser came by https, as far as a trusted proxy or we can tell."""
        if self._trusts(peer):
            scheme = headers.get("x-forwarded-proto", scheme).split(",")[0].strip()
        return scheme.lower() == "https"

    def caller(self, headers: Mapping[str, str], peer: str | None) -> str:
        """Return the address of who asks: the one a trusted proxy names, else the other end."""
        if self._trusts(peer):
            named = [each.strip() for each in headers.get("x-forwarded-for", "").split(",")]
            strangers = [each for each in reversed(named) if each and not self._trusts(each)]
            return strangers[0] if strangers else peer or ""
        return peer or ""

    def _trusts(self, peer: str | None) -> bool:
        if peer is None:
            return False
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self.trusted_proxies)


def _triple(origin: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port, or None for what is no http(s) origin (``null``, rubbish)."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not parts.hostname or parts.path or parts.username:
        return None
    return scheme, parts.hostname.lower(), port or _DEFAULT_PORTS[scheme]
