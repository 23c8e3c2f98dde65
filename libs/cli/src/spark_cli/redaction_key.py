"""The key of the redaction map, made by whoever installs and never by who uses it."""

import os
import secrets
from pathlib import Path

NAME = "redaction.key"
_LENGTH = 32


def ensure_redaction_key(directory: Path) -> Path:
    """Return the key file, made with mode 0600 on the first call; one that is there stays."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / NAME
    if path.exists():
        return path
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(_LENGTH))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return path
