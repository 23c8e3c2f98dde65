"""The secret that proves a lease or a place in line: told to its caller alone, kept as its hash."""

import base64
import hashlib
import hmac
import secrets

_BYTES = 32


def fresh_token() -> str:
    """Return a new token: 32 random bytes as URL-safe text."""
    return secrets.token_urlsafe(_BYTES)


def token_for(key: str, holder: str) -> str:
    """Return the token of an order that its caller may have to repeat: as secret as its key."""
    return base64.urlsafe_b64encode(
        hmac.digest(key.encode(), holder.encode(), hashlib.sha256)
    ).decode()


def hash_of(token: str) -> str:
    """Return what is kept and compared: SHA-256 in hexadecimal digits."""
    return hashlib.sha256(token.encode()).hexdigest()
