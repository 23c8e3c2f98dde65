"""Tells the speech service whose request it is: for a fair line, and for whose voices it knows."""

import hashlib
import secrets
from typing import Final

from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.ports import Identity

CALLER: Final = b"x-spark-caller"
"""Another word after every start of the gateway."""
TENANT: Final = b"x-spark-tenant"
"""The same for one API key for ever; everybody without one is at home."""
_HOME: Final = b"home"
_SALT: Final = secrets.token_bytes(16)
_NO_KEY: Final = ("address:", "user:")


def name_caller(head: RequestHead, identity: Identity, peer: str | None) -> None:
    """Add digests of key or address; what a client wrote in these fields goes nowhere."""
    fields = head.fields if head.passed_on is None else head.passed_on
    share = identity.share
    caller = _digest(share or f"address:{peer or ''}", _SALT)
    tenant = _digest(share) if share and not share.startswith(_NO_KEY) else _HOME
    kept = [each for each in fields if each[0].lower() not in (CALLER, TENANT)]
    head.pass_only([*kept, (CALLER, caller), (TENANT, tenant)])


def _digest(text: str, salt: bytes = b"") -> bytes:
    digest = hashlib.blake2s(text.encode("utf-8", "replace"), key=salt, digest_size=8)
    return digest.hexdigest().encode("ascii")
