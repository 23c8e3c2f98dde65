"""Tells the speech service whose request it is, so that its line for the GPU can be fair."""

import hashlib
import secrets
from typing import Final

from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.ports import Identity

CALLER: Final = b"x-spark-caller"
_SALT: Final = secrets.token_bytes(16)


def name_caller(head: RequestHead, identity: Identity, peer: str | None) -> None:
    """Add a digest of the key or address; what a client wrote in that field goes nowhere."""
    fields = head.fields if head.passed_on is None else head.passed_on
    who = identity.share or f"address:{peer or ''}"
    digest = hashlib.blake2s(who.encode("utf-8", "replace"), key=_SALT, digest_size=8).hexdigest()
    kept = [each for each in fields if each[0].lower() != CALLER]
    head.pass_only([*kept, (CALLER, digest.encode("ascii"))])
