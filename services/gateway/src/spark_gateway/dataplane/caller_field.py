"""Tells services behind whose request it is: for a fair line, and for what they keep of whom."""

import hashlib
import secrets
from typing import Final

from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.ports import Field, Identity

CALLER: Final = b"x-spark-caller"
"""Another word after every start of the gateway."""
TENANT: Final = b"x-spark-tenant"
"""The same for one API key for ever; everybody without one is at home."""
_HOME: Final = b"home"
REDACTED_TENANT: Final = b"x-tenant"
"""What redaction calls it; it has a word of its own for everybody without a key."""
_SALT: Final = secrets.token_bytes(16)
_NO_KEY: Final = ("address:", "user:")


def name_caller(head: RequestHead, identity: Identity, peer: str | None) -> None:
    """Tell speech: digests of key or address; what a client wrote in these fields goes nowhere."""
    caller = _digest(identity.share or f"address:{peer or ''}", _SALT)
    tenant = _key_of(identity) or _HOME
    kept = _without(head, (CALLER, TENANT))
    head.pass_only([*kept, (CALLER, caller), (TENANT, tenant)])


def name_tenant(head: RequestHead, identity: Identity) -> None:
    """Tell redaction: the digest of a key, or nothing; what a client wrote there goes nowhere."""
    kept = _without(head, (REDACTED_TENANT,))
    tenant = _key_of(identity)
    head.pass_only([*kept, (REDACTED_TENANT, tenant)] if tenant is not None else kept)


def _key_of(identity: Identity) -> bytes | None:
    share = identity.share
    return _digest(share) if share and not share.startswith(_NO_KEY) else None


def _without(head: RequestHead, names: tuple[bytes, ...]) -> list[Field]:
    fields = head.fields if head.passed_on is None else head.passed_on
    return [each for each in fields if each[0].lower() not in names]


def _digest(text: str, salt: bytes = b"") -> bytes:
    digest = hashlib.blake2s(text.encode("utf-8", "replace"), key=salt, digest_size=8)
    return digest.hexdigest().encode("ascii")
