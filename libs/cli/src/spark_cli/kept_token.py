"""The token of a lease, kept for this user's later commands in a file nobody else can read."""

import hashlib
import os
from pathlib import Path

from spark_cli.gateway_client import RefusedError, gateway_url

_OTHERS = 0o077


def token_file() -> Path:
    """Return the file for the gateway of this shell: a token is never shown to another one."""
    state = os.environ.get("XDG_STATE_HOME", "").strip() or "~/.local/state"
    name = hashlib.sha256(gateway_url().encode()).hexdigest()[:16]
    return Path(state).expanduser() / "spark-control" / f"lease-{name}"


def lease_token() -> str | None:
    """Return the token of SPARK_LOCK_TOKEN, else the kept one, else None.

    Raises RefusedError when others could have read the file.
    """
    return os.environ.get("SPARK_LOCK_TOKEN") or _kept()


def keep(token: str) -> None:
    """Write the token, whole or not at all. Raises RefusedError when it cannot be kept."""
    path = token_file()
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token)
        draft.replace(path)
    except OSError as error:
        raise RefusedError(f"the token cannot be kept in {path}: {error.strerror}") from error


def forget() -> None:
    """Remove the kept token."""
    token_file().unlink(missing_ok=True)


def _kept() -> str | None:
    path = token_file()
    try:
        mode = path.stat().st_mode
        token = path.read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(f"the kept token cannot be read: {path}: {error}") from error
    if mode & _OTHERS:
        raise RefusedError(f"others can read the token: chmod 600 {path}, or remove it")
    return token or None
