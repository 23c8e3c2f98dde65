"""The token of a run's lease as Redis keeps it: encrypted, for coordinators to carry runs on."""

import base64
import hashlib
import secrets

from cryptography.fernet import Fernet, InvalidToken

_BOUND_TO = b"spark-control token of a scheduled run\0"


class TokenBox:
    """Seals tokens under a secret that all coordinators have and Redis never sees.

    Without one only this process opens what it sealed: another one that carries the run on finds
    no proof, and ends the lease it knows to be its own.
    """

    def __init__(self, shared_secret: str | None) -> None:
        secret = shared_secret or secrets.token_hex()
        key = hashlib.sha256(_BOUND_TO + secret.encode()).digest()
        self._box = Fernet(base64.urlsafe_b64encode(key))

    def seal(self, token: str) -> str:
        """Return what may be kept."""
        return self._box.encrypt(token.encode()).decode("ascii")

    def open(self, sealed: str) -> str | None:
        """Return the token, None for what somebody else sealed or damaged."""
        try:
            return self._box.decrypt(sealed.encode()).decode()
        except (InvalidToken, UnicodeEncodeError):
            return None
