"""The secret that proves a lease or a place in line: random, shown once, kept as its hash."""

import hashlib
import secrets

_BYTES = 32


def fresh_token() -> str:
    """Return a new token: 32 random bytes as URL-safe text."""
    return secrets.token_urlsafe(_BYTES)


def hash_of(token: str) -> str:
    """Return what is kept and compared: SHA-256 in hexadecimal digits."""
    return hashlib.sha256(token.encode()).hexdigest()
