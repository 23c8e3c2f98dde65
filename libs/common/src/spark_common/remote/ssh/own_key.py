"""The public half of the key that opens the Sparks."""

from dataclasses import dataclass
from pathlib import Path

import asyncssh

from spark_common.errors import UnavailableError
from spark_common.remote.ssh.failures import key_problem


@dataclass(frozen=True)
class OwnKey:
    """``line`` as ``authorized_keys`` has it, ``fingerprint`` as ``ssh-keygen -l`` shows it."""

    line: str
    fingerprint: str


def read_own_key(private: Path) -> OwnKey:
    """Return it, computed from the private key, which is what counts.

    Raises UnavailableError with why it cannot be used.
    """
    try:
        key = asyncssh.read_private_key(private)
        line = key.export_public_key().decode("ascii", "replace").strip()
    except (OSError, ValueError) as failure:  # asyncssh's own are ValueErrors
        raise UnavailableError(key_problem(failure, private)) from failure
    # A comment is somebody's, and may hold anything; the two words before it are the key.
    return OwnKey(" ".join([*line.split()[:2], "spark-control"]), key.get_fingerprint())
