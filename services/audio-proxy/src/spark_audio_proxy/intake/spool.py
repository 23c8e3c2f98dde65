"""Where recordings are while their request lasts: a folder per request, gone with it."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

from spark_audio_proxy.disk import is_full, no_room
from spark_common.ids import new_id

_LOCK: Final = "process.lock"
_LEAST_FREE: Final = 256 * 1024 * 1024

log = structlog.get_logger()


class Spool:
    """The folder of this process below ``root``; those of processes that died are removed.

    A process holds the lock of its folder for as long as it lives, so several may share ``root``.
    """

    def __init__(self, root: Path) -> None:
        """Raises OSError when the folder cannot be used."""
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = root / new_id()
        self._folder.mkdir(mode=0o700)
        self._lock = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._sweep(root)

    @contextmanager
    def room(self, expected_bytes: int = 0) -> Iterator[Path]:
        """Yield an empty folder that is removed at the end, whatever happens.

        Raises SpeechError ``no_room`` when the disk could not take ``expected_bytes`` more, and
        when it is full before the end.
        """
        if shutil.disk_usage(self._folder).free < _LEAST_FREE + expected_bytes:
            raise no_room()
        room = self._folder / new_id()
        room.mkdir(mode=0o700)
        try:
            yield room
        except OSError as error:
            if is_full(error):
                raise no_room() from error
            raise
        finally:
            shutil.rmtree(room, ignore_errors=True)

    def close(self) -> None:
        """Remove everything of this process."""
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._lock)

    def _sweep(self, root: Path) -> None:
        for folder in root.iterdir():
            if folder == self._folder or not folder.is_dir():
                continue
            if _abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)
                log.info("spool.swept")


def _abandoned(folder: Path) -> bool:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        # Another process may be about to make it; a folder without one for long is nobody's.
        return any(folder.iterdir())
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(lock)
