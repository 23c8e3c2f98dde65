"""The key of the redaction map, made by whoever installs and never by who uses it."""

import secrets
from pathlib import Path

from spark_common.whole_file import OURS_ALONE, write_whole

NAME = "redaction.key"
_LENGTH = 32


def ensure_redaction_key(directory: Path) -> Path:
    """Return the key file, made with mode 0600 on the first call; one that is there stays."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / NAME
    if path.exists():
        return path
    write_whole(path, secrets.token_bytes(_LENGTH), OURS_ALONE)
    return path
