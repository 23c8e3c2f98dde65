"""Lets the gateway's own question to the runtime pass while a swap keeps everybody else off."""

import hmac
import ipaddress
import secrets
from typing import Final

from spark_gateway.dataplane.heads import PASS, RequestHead
from spark_gateway.dataplane.ports import Upstream, UpstreamNow

_QUESTIONS: Final = frozenset((b"/v1/chat/completions", b"/v1/completions", b"/v1/embeddings"))


class OwnQuestion:
    """A secret of this process, shown in a header field that ends at its own front door.

    It opens nothing but the routes a first token is asked on, and only from this machine.
    """

    def __init__(self, upstream: UpstreamNow, bind_host: str, bind_port: int) -> None:
        self._upstream = upstream
        self._address = _reachable(bind_host)
        self._port = bind_port
        self._secret = secrets.token_hex(32).encode("ascii")

    @property
    def front_door(self) -> str:
        """Base URL of the port that clients use, as this machine reaches it."""
        host = f"[{self._address}]" if ":" in self._address else self._address
        return f"http://{host}:{self._port}"

    @property
    def headers(self) -> dict[str, str]:
        """The field to send along with the question."""
        return {PASS.decode("ascii"): self._secret.decode("ascii")}

    def admits(self, head: RequestHead, peer: str | None) -> Upstream | None:
        """Return where a refused request goes after all; None when it is not ours.

        ``peer``: the address it came from.
        """
        shown = head.shown_pass
        ours = shown is not None and hmac.compare_digest(shown, self._secret)
        if not ours or head.method != b"POST" or head.path not in _QUESTIONS:
            return None
        return self._upstream() if self._is_here(peer) else None

    def _is_here(self, peer: str | None) -> bool:
        try:
            return peer is not None and (
                peer == self._address or ipaddress.ip_address(peer).is_loopback
            )
        except ValueError:
            return False


def _reachable(bind_host: str) -> str:
    """Return the address under which this machine reaches what listens on ``bind_host``."""
    try:
        address = ipaddress.ip_address(bind_host)
    except ValueError:
        return bind_host
    if not address.is_unspecified:
        return bind_host
    return "127.0.0.1" if address.version == 4 else "::1"
