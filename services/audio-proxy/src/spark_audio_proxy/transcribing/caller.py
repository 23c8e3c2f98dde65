"""Who asks, as far as fairness cares: a digest that says nothing about anybody."""

import hashlib
import secrets
from typing import Final

from starlette.requests import Request

_SALT: Final = secrets.token_bytes(16)
_FIELDS: Final = ("x-spark-caller", "authorization", "x-openwebui-user-id", "x-forwarded-for")
"""What tells callers apart; the gateway sends the first of them."""


def client_of(request: Request) -> str:
    """Return a short word for whoever sent a request; another one after every start."""
    words = [request.headers.get(name, "").split(",")[0].strip() for name in _FIELDS]
    if not any(words) and request.client is not None:
        words.append(request.client.host)
    return _digest("\0".join(words))


def tenant_of(request: Request) -> str:
    """Return whose enrolled voices a request may see: the same word at every start.

    The gateway says it; who asks without one is told apart by the key that is shown.
    """
    told = request.headers.get("x-spark-tenant", "").strip()
    if told:
        return told
    shown = request.headers.get("authorization", "").strip()
    return hashlib.blake2s(shown.encode(), digest_size=8).hexdigest() if shown else "home"


def _digest(text: str) -> str:
    return hashlib.blake2s(text.encode(), key=_SALT, digest_size=8).hexdigest()
