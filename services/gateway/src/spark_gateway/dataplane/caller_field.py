"""Tells services behind whose request it is: for a fair line, and for what they keep of whom."""

import hashlib
import secrets
from collections.abc import Mapping, Set
from typing import Final
from urllib.parse import quote

from spark_gateway.dataplane.ports import REDACTION, SPEECH, Identity, Upstream

CALLER: Final = b"x-spark-caller"
"""Another word after every start of the gateway."""
TENANT: Final = b"x-spark-tenant"
"""The same for one API key for ever; everybody without one is at home."""
_HOME: Final = b"home"
REDACTED_TENANT: Final = b"x-tenant"
"""What redaction calls it; it has a word of its own for everybody without a key."""
LABEL: Final = b"x-spark-label"
"""What the owner calls a key, percent-encoded; for the audit of redaction, and for no event."""
_LONGEST_LABEL: Final = 64
_SALT: Final = secrets.token_bytes(16)
_NO_KEY: Final = ("address:", "user:")
_WITHHELD: Final[Mapping[str, Set[bytes]]] = {
    SPEECH: frozenset((CALLER, TENANT)),
    REDACTION: frozenset((REDACTED_TENANT, LABEL)),
}
_NOTHING: Final[Set[bytes]] = frozenset()


def withheld_from(upstream: Upstream) -> Set[bytes]:
    """Return the fields, in lower case, of which it must not hear what a client wrote."""
    return _WITHHELD.get(upstream.name, _NOTHING)


def told_to(upstream: Upstream, identity: Identity, peer: str | None) -> bytes:
    """Return field lines that say who asks, for a service that has to know.

    ``peer``: the address from which it came.
    """
    if upstream.name == SPEECH:
        caller = _digest(identity.share or f"address:{peer or ''}", _SALT)
        tenant = _key_of(identity) or _HOME
        return b"%b: %b\r\n%b: %b\r\n" % (CALLER, caller, TENANT, tenant)
    if upstream.name == REDACTION:
        key = _key_of(identity)
        return b"" if key is None else _field(REDACTED_TENANT, key) + _label_of(identity)
    return b""


def _label_of(identity: Identity) -> bytes:
    label = quote(identity.label[:_LONGEST_LABEL].strip(), safe=" ").encode("ascii")
    return _field(LABEL, label) if label else b""


def _field(name: bytes, value: bytes) -> bytes:
    return b"%b: %b\r\n" % (name, value)


def _key_of(identity: Identity) -> bytes | None:
    share = identity.share
    return _digest(share) if share and not share.startswith(_NO_KEY) else None


def _digest(text: str, salt: bytes = b"") -> bytes:
    digest = hashlib.blake2s(text.encode("utf-8", "replace"), key=salt, digest_size=8)
    return digest.hexdigest().encode("ascii")
