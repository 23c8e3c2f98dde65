"""What a shell says with its questions: who asks, under which lease, with which key."""

import getpass
from urllib.parse import quote

from spark_cli.kept_token import lease_token


def who_asks() -> str:
    """Return the label under which this shell asks."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        name = "somebody"
    return f"{name} (sparkctl)"


def said_along(key: str | None = None) -> dict[str, str]:
    """Return the headers of a change: the lease's token, if there is one, and ``key``."""
    headers = {"x-swap-lock-token": lease_token(), "idempotency-key": key}
    return {name: value for name, value in headers.items() if value is not None}


def address(*parts: str) -> str:
    """Return a path: the first part as it is, each further one a name that may hold anything."""
    return "/".join([parts[0], *(quote(part, safe="") for part in parts[1:])])
