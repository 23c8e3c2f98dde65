"""AES-256-GCM: a key for each scope, itself sealed by the master key; rows cannot be swapped."""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from spark_redaction.vault.keyfile import MasterKey

_NONCE = 12
SCHEMA = 1


class WrongKeyError(Exception):
    """What is stored was sealed with another key, or was changed."""


def new_scope_key() -> bytes:
    """Return a random key."""
    return AESGCM.generate_key(256)


def seal(key: bytes, plain: bytes, *about: str) -> bytes:
    """Return nonce and ciphertext; ``about`` says which row it belongs to."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, _about(about))


def unseal(key: bytes, sealed: bytes, *about: str) -> bytes:
    """Return what was sealed; raises WrongKeyError."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _about(about))
    except InvalidTag:
        raise WrongKeyError from None


def mac(master: MasterKey, tenant: str, text: str) -> bytes:
    """Return what a value is found by, without saying what it is."""
    message = "\0".join((tenant, text)).encode("utf-8", "surrogatepass")
    return hmac.new(master.index, message, hashlib.sha256).digest()


def _about(parts: tuple[str, ...]) -> bytes:
    return "|".join((*parts, str(SCHEMA))).encode()
