"""The text of an API key: random, easy to recognise, with a checksum that catches mistakes."""

import hashlib
import re
import secrets
import string
import zlib
from typing import Final

PREFIX: Final = "sk-spark-"
_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM: Final = 32
"""Characters by chance: 190 bits, so that its bare hash tells nobody anything."""
_CHECK: Final = 6
_FORM = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM + _CHECK}}}\Z")


def fresh_key() -> str:
    """Return a new key: ``sk-spark-``, 32 random characters, six of checksum."""
    random = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return random + _checksum(random)


def is_key(text: str) -> bool:
    """Say whether ``text`` has the form of a key and was not mistyped."""
    return _FORM.match(text) is not None and _checksum(text[:-_CHECK]) == text[-_CHECK:]


def digest_of(key: str) -> str:
    """Return what is kept and compared: SHA-256 in hexadecimal digits."""
    return hashlib.sha256(key.encode()).hexdigest()


def _checksum(text: str) -> str:
    rest, digits = zlib.crc32(text.encode()), ""
    for _ in range(_CHECK):
        rest, digit = divmod(rest, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
