"""The nkeys of every identity: seeds only their owner reads, public keys for the server."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import nkeys

from spark_common.bus.permissions import OPERATOR, PERMISSIONS
from spark_common.whole_file import OURS_ALONE, write_whole


class DamagedSeedError(Exception):
    """A seed file holds something else; the message is one line that says what to do."""


@dataclass(frozen=True)
class Identities:
    """A folder with one seed file per identity, mode 0600."""

    directory: Path
    public_keys: Mapping[str, str]

    @classmethod
    def load_or_create(cls, directory: Path) -> Self:
        """Read the seeds of a folder and make those that are missing; the rest stay the same.

        Raises DamagedSeedError.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = {}
        for name in (*PERMISSIONS, OPERATOR):
            path = directory / f"{name}.nk"
            if not path.exists():
                write_new(path, make_seed())
            keys[name] = public_key_of(path)
        return cls(directory, keys)

    def seed_file(self, name: str) -> Path:
        """Return the file for ``NATS_SEED_FILE``; raises KeyError for an unknown identity."""
        if name not in self.public_keys:
            raise KeyError(name)
        return self.directory / f"{name}.nk"


def make_seed() -> bytes:
    """Return the seed of a new identity."""
    return bytes(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER))


def public_key_of(path: Path) -> str:
    """Return the public key of a seed file. Raises DamagedSeedError."""
    try:
        pair = nkeys.from_seed(bytearray(path.read_bytes().strip()))
    except nkeys.NkeysError:
        # Without the cause: its text may hold a part of the seed.
        raise DamagedSeedError(
            f"{path} does not hold a seed of NATS: delete it, and the next start makes a new one"
        ) from None
    public_key = pair.public_key.decode()
    pair.wipe()
    return str(public_key)


def write_new(path: Path, seed: bytes) -> None:
    """Write a file of one line that only its owner reads, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, seed + b"\n", OURS_ALONE)
