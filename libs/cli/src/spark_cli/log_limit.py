"""Logs that stay small however long everything runs."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_LIMIT_BYTES = 8 * 1024 * 1024
_EVERY_SECONDS = 60.0
_OLD = ".old.log"


async def keep_logs_small(folders: Sequence[Path]) -> None:
    """Trim every log in these folders, for ever."""
    while True:
        for folder in folders:
            trim_all(folder)
        await asyncio.sleep(_EVERY_SECONDS)


def trim_all(folder: Path, limit_bytes: int = _LIMIT_BYTES) -> None:
    """Trim every log in a folder; what cannot be trimmed now is trimmed later."""
    for path in folder.glob("*.log"):
        if not path.name.endswith(_OLD):
            with suppress(OSError):
                trim(path, limit_bytes)


def trim(path: Path, limit_bytes: int = _LIMIT_BYTES) -> None:
    """Begin a log that grew too large anew; what it held is kept once, as ``.old.log``.

    Whoever writes it goes on: logs are open for appending, so the next line is the first one.
    """
    if path.stat().st_size > limit_bytes:
        shutil.copyfile(path, path.with_suffix(_OLD))
        os.truncate(path, 0)
