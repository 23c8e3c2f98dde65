"""Secrets of an exported document: encrypted with a passphrase, or not in it at all.

scrypt makes a key of the passphrase, AES-256-GCM encrypts and authenticates. The first byte names
this way of doing it, so that another one may follow.
"""

import base64
import binascii
import json
import os
import unicodedata
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import SecretStr, TypeAdapter, ValidationError

from spark_common.errors import InvalidRequestError

LEAST_CHARACTERS = 8
_WAY = b"\x01"
_SALT, _NONCE = 16, 12
_HEAD = len(_WAY) + _SALT + _NONCE
_WORK = 2**15
"""scrypt's N; with r=8 one guess costs 32 MiB of memory and about a tenth of a second."""
_BOUND_TO = b"spark-control secrets"

Secrets = Mapping[str, Mapping[str, str]]
"""Part of the document, then name, to the secret."""
_shape = TypeAdapter(dict[str, dict[str, str]])


def seal(secrets: Secrets, passphrase: SecretStr) -> str:
    """Return the secrets encrypted, in base64. Raises InvalidRequestError for a short passphrase.

    Takes a moment on purpose.
    """
    if len(passphrase.get_secret_value()) < LEAST_CHARACTERS:
        raise InvalidRequestError(f"a passphrase needs at least {LEAST_CHARACTERS} characters")
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    plain = json.dumps({part: dict(one) for part, one in secrets.items()}).encode()
    hidden = AESGCM(_key(passphrase, salt)).encrypt(nonce, plain, _BOUND_TO)
    return base64.b64encode(_WAY + salt + nonce + hidden).decode("ascii")


def unseal(sealed: str, passphrase: SecretStr) -> Secrets:
    """Return the secrets. Raises InvalidRequestError, which never says more than it must."""
    try:
        content = base64.b64decode(sealed, validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise InvalidRequestError("the secrets of this document are damaged") from wrong
    if content[: len(_WAY)] != _WAY:
        raise InvalidRequestError("the secrets of this document are of another version, or damaged")
    salt, nonce = content[1 : 1 + _SALT], content[1 + _SALT : _HEAD]
    try:
        plain = AESGCM(_key(passphrase, salt)).decrypt(nonce, content[_HEAD:], _BOUND_TO)
        return _shape.validate_json(plain)
    except (InvalidTag, ValueError, ValidationError) as wrong:
        raise InvalidRequestError(
            "the passphrase does not open the secrets of this document, or they are damaged; "
            "nothing was imported"
        ) from wrong


def _key(passphrase: SecretStr, salt: bytes) -> bytes:
    # Where one keyboard writes ü as one letter, another writes u and two dots.
    words = unicodedata.normalize("NFC", passphrase.get_secret_value()).encode()
    return Scrypt(salt=salt, length=32, n=_WORK, r=8, p=1).derive(words)
