"""The automations that the owner let in: a folder with a public key each, and the seeds we made.

The server is told the public keys only. A seed may be moved away to where its automation runs:
the identity stays for as long as its public key is here.
"""

import base64
import fcntl
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nkeys

from spark_common.bus.identities import make_seed, public_key_of, write_new

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,30}[a-z0-9])?\Z")
_PUBLIC = re.compile(r"U[A-Z2-7]{55}\Z")
FOLDER = "automations"


class AutomationError(Exception):
    """It cannot be done; the message is one line for the owner."""


@dataclass(frozen=True)
class Automation:
    """One identity. ``seed_file`` may be elsewhere by now."""

    name: str
    public_key: str
    seed_file: Path

    @property
    def seed_is_here(self) -> bool:
        """Whether the seed still lies where it was made."""
        return self.seed_file.exists()


def require_name(name: str) -> str:
    """Return a valid name; raises AutomationError.

    It becomes a token of subjects and the name of files: small letters, digits, ``-`` and ``_``.
    """
    if not _NAME.match(name):
        raise AutomationError(
            f"{name!r} cannot be the name of an automation: 1 to 32 small letters, digits, "
            "- and _, beginning and ending with a letter or digit"
        )
    return name


@dataclass(frozen=True)
class AutomationFolder:
    """The automations beside the identities of the services."""

    directory: Path

    @classmethod
    def below(cls, identities: Path) -> "AutomationFolder":
        """Return the one of a folder with the seeds of the services."""
        return cls(identities / FOLDER)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from changing the folder meanwhile."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.directory / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def all(self) -> list[Automation]:
        """Return every automation by name. Raises AutomationError for a damaged file."""
        return [self._read(path) for path in sorted(self.directory.glob("*.pub"))]

    def public_keys(self) -> Mapping[str, str]:
        """Return what the server has to know."""
        return {each.name: each.public_key for each in self.all()}

    def find(self, name: str) -> Automation | None:
        """Return one, or None. Raises AutomationError."""
        path = self._public(require_name(name))
        return self._read(path) if path.exists() else None

    def add(self, name: str) -> Automation:
        """Make a new identity. Raises AutomationError when there is one of this name."""
        if self.find(name) is not None:
            raise AutomationError(f"there is an automation {name!r} already: remove it first")
        seed_file = self._seed(name)
        # Left over from an addition that was cut short: nobody was let in with it.
        seed_file.unlink(missing_ok=True)
        write_new(seed_file, make_seed())
        write_new(self._public(name), public_key_of(seed_file).encode())
        return self._read(self._public(name))

    def remove(self, name: str) -> Automation:
        """Forget an identity and its seed. Raises AutomationError when there is none."""
        found = self.find(name)
        if found is None:
            raise AutomationError(f"there is no automation {name!r}")
        self._public(name).unlink()
        found.seed_file.unlink(missing_ok=True)
        return found

    def _read(self, path: Path) -> Automation:
        name, key = require_name(path.stem), path.read_text(encoding="ascii", errors="replace")
        if not _is_public_key(key.strip()):
            raise AutomationError(f"{path} does not hold a public key of NATS: remove {name!r}")
        return Automation(name, key.strip(), self._seed(name))

    def _public(self, name: str) -> Path:
        return self.directory / f"{name}.pub"

    def _seed(self, name: str) -> Path:
        return self.directory / f"{name}.nk"


def _is_public_key(key: str) -> bool:
    if not _PUBLIC.match(key):
        return False
    raw = base64.b32decode(key)
    return bool(nkeys.crc16(raw[:-2]) == int.from_bytes(raw[-2:], "little"))
