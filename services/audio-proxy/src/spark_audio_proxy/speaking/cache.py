"""Answers that were spoken before, on disk: the least recently heard go first. Off by default."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from spark_audio_proxy.speaking.asked import Format
from spark_audio_proxy.speaking.engines import Manner

LARGEST_ENTRY: Final = 16 * 1024 * 1024
"""Bytes; longer answers are not worth the room."""

log = structlog.get_logger()


def key_of(engine: str, manner: Manner, form: Format, text: str) -> str:
    """Return the name of an answer; it tells nothing of the text."""
    parts = (engine, manner.voice, f"{manner.speed:g}", repr(sorted(manner.extras.items())), form)
    return hashlib.sha256("\0".join((*parts, text)).encode()).hexdigest()


class Cache:
    """Files below one folder, whose names are hashes. Every method may block for a moment.

    A disk that is full or read-only makes it forget, never fail.
    """

    def __init__(self, folder: Path, most_bytes: Callable[[], int]) -> None:
        """``most_bytes``: of all files, now; 0 keeps and gives nothing."""
        self._folder = folder
        self._most_bytes = most_bytes

    @property
    def on(self) -> bool:
        """Whether anything is kept."""
        return self._most_bytes() > 0

    def get(self, key: str) -> bytes | None:
        """Return what was kept, and count it as heard."""
        if not self.on:
            return None
        path = self._folder / key
        try:
            kept = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return kept

    def put(self, key: str, answer: bytes) -> None:
        """Keep an answer, and let go of what has no room any more."""
        most = self._most_bytes()
        if len(answer) > min(most, LARGEST_ENTRY):
            return
        part = self._folder / f"{key}.{os.getpid()}.part"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room(most - len(answer))
            part.write_bytes(answer)
            part.replace(self._folder / key)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            log.warning("speech.not_kept", reason=type(error).__name__)

    def clear(self) -> None:
        """Forget everything."""
        self._make_room(-1)

    def _make_room(self, room: int) -> None:
        found = []
        for path in self._folder.glob("*"):
            stat = path.stat()
            found.append((stat.st_mtime_ns, stat.st_size, path))
        taken = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if taken <= room:
                break
            path.unlink(missing_ok=True)
            taken -= size
