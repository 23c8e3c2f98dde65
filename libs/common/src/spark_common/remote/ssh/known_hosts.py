"""The host keys we remember: a new host is accepted once, a changed key never."""

import fcntl
import os
from pathlib import Path

import asyncssh
from asyncssh.public_key import get_default_public_key_algs

from spark_common.errors import HostKeyChangedError, UnavailableError
from spark_common.settings import HostSettings

_SSH_PORT = 22


class KnownHosts:
    """A known-hosts file in OpenSSH's format, plain or hashed, shared between processes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def algorithms(self, host: HostSettings) -> list[str]:
        """Return host key algorithms, those of remembered keys first.

        A host with several keys must show the one we know; a host that lost it must still get
        as far as showing another, so that the refusal can name the reason.
        """
        known: list[bytes] = []
        for key in self._keys(host)[0]:
            known.extend(key.sig_algorithms)
        known.extend(algorithm for algorithm in get_default_public_key_algs())
        return [algorithm.decode("ascii") for algorithm in dict.fromkeys(known)]

    def check(self, host: HostSettings, shown: asyncssh.SSHKey) -> None:
        """Accept a key that is remembered, or the first one of a new host, which is then stored.

        Raises HostKeyChangedError with what to do, UnavailableError when the file cannot be
        used.
        """
        try:
            descriptor = self._open()
        except OSError as error:
            raise self._unusable(error) from error
        with os.fdopen(descriptor, "r+b") as file:
            # The lock spans look and append: two processes that meet a new host at the same
            # moment must not remember two keys for it.
            fcntl.flock(file, fcntl.LOCK_EX)
            trusted, revoked = self._keys(host)
            if shown in trusted and shown not in revoked:
                return
            if trusted or revoked:
                raise self._changed(host, trusted, shown)
            line = f"{_name(host)} {shown.export_public_key().decode('ascii').strip()}\n"
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            unfinished = size > 0 and file.read(1) != b"\n"
            try:
                file.write((b"\n" if unfinished else b"") + line.encode("ascii"))
                file.flush()
                os.fsync(file.fileno())
            except OSError as error:
                raise self._unusable(error) from error

    def _open(self) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _keys(self, host: HostSettings) -> tuple[list[asyncssh.SSHKey], list[asyncssh.SSHKey]]:
        try:
            remembered = asyncssh.import_known_hosts(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return [], []
        except (OSError, ValueError) as error:
            raise self._unusable(error) from error
        # The port is part of the name: asyncssh would fall back to the entry without a port,
        # which belongs to another server on the same machine.
        trusted, _, revoked, *_ = remembered.match(_name(host), "", None)
        return list(trusted), list(revoked)

    def _changed(
        self, host: HostSettings, trusted: list[asyncssh.SSHKey], shown: asyncssh.SSHKey
    ) -> HostKeyChangedError:
        expected = trusted[0].get_fingerprint() if trusted else "none, the shown key is revoked"
        return HostKeyChangedError(
            f"{host.label} shows another host key than the one we remember, so nothing was sent "
            f"to it. If it was reinstalled, forget the old key with: "
            f"ssh-keygen -f {self._path} -R '{_name(host)}' and try again. "
            "If not, somebody else answers at its address.",
            host=host.name,
            shown=shown.get_fingerprint(),
            remembered=expected,
        )

    def _unusable(self, error: Exception) -> UnavailableError:
        reason = getattr(error, "strerror", None) or "a line in it is not understood"
        return UnavailableError(
            f"the known-hosts file {self._path} (SSH_KNOWN_HOSTS) cannot be used: {reason}"
        )


def _name(host: HostSettings) -> str:
    return host.address if host.ssh_port == _SSH_PORT else f"[{host.address}]:{host.ssh_port}"
