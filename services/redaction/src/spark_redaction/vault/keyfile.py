"""The key that opens every other key. It is made by the installer, never here."""

import hashlib
import hmac
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from spark_common.settings import SettingsError

_LENGTH = 32


@dataclass(frozen=True)
class MasterKey:
    """32 octets and a name of theirs that says nothing about them."""

    octets: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Which key it is, to be stored beside what it opens."""
        return hmac.new(self.octets, b"spark-redaction key id", hashlib.sha256).hexdigest()[:16]

    def digest(self, about: str, name: str) -> str:
        """Return what stands for a name outside: always the same, and not to be tried out."""
        key = hmac.new(self.octets, b"spark-redaction names outside", hashlib.sha256).digest()
        return hmac.new(key, f"{about}\0{name}".encode(), hashlib.sha256).hexdigest()[:16]

    @property
    def index(self) -> bytes:
        """The key of the index of values."""
        return hmac.new(self.octets, b"spark-redaction value index", hashlib.sha256).digest()


def read_master_key(path: Path) -> MasterKey:
    """Read the key file: 32 octets, or 64 hexadecimal digits.

    Raises SettingsError with what to do; a missing key is never made up, because then the map
    of a lost key would look empty instead of lost.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        octets = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"REDACTION_KEY_FILE {path} cannot be read ({os.strerror(error.errno or 0)}): "
            "run `sparkctl init`, or write 32 random octets to it with mode 0600"
        ) from None
    if mode & 0o077:
        raise SettingsError(f"REDACTION_KEY_FILE {path} may be read by others: chmod 600 it")
    text = octets.strip()
    if len(octets) != _LENGTH and len(text) == 2 * _LENGTH:
        try:
            octets = bytes.fromhex(text.decode("ascii"))
        except ValueError:
            octets = b""
    if len(octets) != _LENGTH:
        raise SettingsError(f"REDACTION_KEY_FILE {path} must hold 32 octets")
    return MasterKey(octets)
