"""Which ``Host`` names are ours: a rebound DNS name must not reach the control plane."""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\Z")


@dataclass(frozen=True)
class AllowedHosts:
    """Admits names that no stranger can point at us, and those the owner listed.

    Address literals, ``localhost``, single labels (a compose or LAN name) and ``*.local`` cannot
    be registered by an attacker. ``extra`` holds full names, ``.suffix`` entries, or ``*``.
    """

    extra: Collection[str] = ()

    def admits(self, host: str | None) -> bool:
        """Say whether a request with this ``Host`` header may be answered. None is HTTP/1.0."""
        if host is None or "*" in self.extra:
            return True
        name = _name(host)
        if name is None:
            return False
        if _is_address(name):
            return True
        labels = name.split(".")
        if not all(_LABEL.match(label) for label in labels):
            return False
        if len(labels) == 1 or labels[-1] in {"local", "localhost"}:
            return True
        return name in self.extra or any(
            entry.startswith(".") and name.endswith(entry) for entry in self.extra
        )


def _name(host: str) -> str | None:
    """Return the name without port and brackets, lower case, or None when it is no host at all."""
    if host.startswith("["):
        name, bracket, port = host[1:].partition("]")
        if not bracket or (port and not _is_port(port)):
            return None
        return name if ":" in name and _is_address(name) else None
    name, colon, port = host.partition(":")
    if colon and not _is_port(f":{port}"):
        return None
    return name.lower().removesuffix(".") or None


def _is_port(text: str) -> bool:
    return text.startswith(":") and text[1:].isascii() and text[1:].isdigit() and len(text) <= 6


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
