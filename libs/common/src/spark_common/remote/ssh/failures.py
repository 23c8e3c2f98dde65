"""What went wrong with SSH, in plain English and with what to do."""

import errno
import socket
from pathlib import Path

import asyncssh

from spark_common.errors import HostUnreachableError
from spark_common.settings import HostSettings

_NO_ROUTE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN)


def explain(failure: Exception, host: HostSettings, key: Path) -> HostUnreachableError:
    """Return the error for a connection that did not come about."""
    return HostUnreachableError(_sentence(failure, host, key), host=host.name)


def _sentence(failure: Exception, host: HostSettings, key: Path) -> str:
    address = f"{host.name.upper()}_HOST"
    match failure:
        case asyncssh.PermissionDenied():
            return (
                f"{host.label} does not accept our key for user {host.user!r}: permission denied "
                f"(publickey). Put {key}.pub into ~/.ssh/authorized_keys there, for example with "
                f"ssh-copy-id, or correct {host.name.upper()}_USER."
            )
        case (
            asyncssh.KeyEncryptionError()
            | asyncssh.KeyImportError()
            | FileNotFoundError()
            | PermissionError()
            | IsADirectoryError()
        ):
            return key_problem(failure, key)
        case ConnectionRefusedError():
            return (
                f"{host.label} refuses SSH connections on port {host.ssh_port}: connection "
                "refused. Is it still starting, or is its SSH server off?"
            )
        case TimeoutError():
            return (
                f"{host.label} does not answer over SSH: connection timed out. Is it switched "
                f"on, and is {address} right?"
            )
        case socket.gaierror():
            return f"the name of {host.label} could not be resolved: check {address}"
        case OSError(errno=number) if number in _NO_ROUTE:
            return f"there is no route to {host.label}: is it on this network? Check {address}."
        case ConnectionResetError() | asyncssh.ConnectionLost():
            return f"{host.label} closed the SSH connection before we were logged in"
        case asyncssh.Error():
            return f"{host.label} does not speak SSH as we do: {type(failure).__name__}"
        case _:
            return f"{host.label} cannot be reached over SSH: {type(failure).__name__}"


def key_problem(failure: Exception, key: Path) -> str:
    """Why our own key cannot be used."""
    match failure:
        case asyncssh.KeyEncryptionError():
            return f"the SSH key {key} has a passphrase; SSH_KEY_PATH needs a key without one"
        case OSError():
            return f"the SSH key {key} (SSH_KEY_PATH) cannot be read: {failure.strerror}"
        case _:
            return f"the file {key} (SSH_KEY_PATH) is not a private SSH key"
