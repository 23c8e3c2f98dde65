"""Logs of swaps as files: the first lines, the last lines, and a bound for all of them."""

import asyncio
import gzip
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from spark_common.clock import Clock
from spark_swapper.records.swap_log import KeptLog

HEAD_LINES = 2_000
TAIL_LINES = 4_000
_TAILS = 3
"""Parts kept of the end: at least the last two whole ones, 8,000 lines."""
_PART_BYTES = 1_000_000
_KEPT_SECONDS = 90 * 24 * 3600.0
_LEFT_OUT = "... lines in the middle were left out ..."
_PART = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,63})(?:\.(\d{1,9})\.tail|\.log)(\.gz)?")
_log = structlog.get_logger()


@dataclass
class _Open:
    """The part of a log that grows now."""

    part: int
    """0 is the head."""
    lines: int
    size: int


@dataclass(frozen=True)
class _Part:
    swap_id: str
    number: int
    path: Path


class LogFiles:
    """``<id>.log`` and ``<id>.<n>.tail`` in one folder, readable by their owner only.

    Written at once, so that a kill loses nothing; a repeated attempt goes on in the same files.
    They are compressed when the swap is over.
    """

    def __init__(self, folder: Path, most_bytes: int, clock: Clock) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._clock = clock
        self._open: dict[str, _Open] = {}
        self._complained = False

    def write(self, swap_id: str, lines: Sequence[str]) -> None:
        """Add lines, cut into parts; the oldest part between head and tail goes."""
        if not lines:
            return
        try:
            self._append(swap_id, lines)
            self._complained = False
        except OSError as error:
            self._open.pop(swap_id, None)
            if not self._complained:
                self._complained = True
                _log.warning("swap_log.not_written", swap_id=swap_id, why=error.strerror)

    async def close(self, swap_id: str) -> None:
        """Compress what is kept of this swap, then drop the oldest logs beyond the bound."""
        self._open.pop(swap_id, None)
        try:
            await asyncio.to_thread(self._compress, swap_id)
            await asyncio.to_thread(self._prune)
        except OSError as error:
            _log.warning("swap_log.not_closed", swap_id=swap_id, why=error.strerror)

    async def read(self, swap_id: str) -> KeptLog | None:
        """Return the lines of all parts, with one that says where some are missing."""
        return await asyncio.to_thread(self._read, swap_id)

    def _append(self, swap_id: str, lines: Sequence[str]) -> None:
        now = self._open.get(swap_id)
        if now is None:
            now = self._open[swap_id] = self._resume(swap_id)
        waiting: list[bytes] = []
        for line in lines:
            raw = _one_line(line)
            most = HEAD_LINES if now.part == 0 else TAIL_LINES
            if now.lines >= most or (now.size and now.size + len(raw) > _PART_BYTES):
                self._write(self._path(swap_id, now.part), b"".join(waiting))
                waiting.clear()
                now = self._open[swap_id] = self._next_part(swap_id, now.part + 1)
            waiting.append(raw)
            now.lines += 1
            now.size += len(raw)
        self._write(self._path(swap_id, now.part), b"".join(waiting))

    def _next_part(self, swap_id: str, number: int) -> _Open:
        """Begin another part of the tail; the oldest ones between it and the head go."""
        for part in self._parts(swap_id):
            if 0 < part.number <= number - _TAILS:
                part.path.unlink(missing_ok=True)
        return _Open(number, 0, 0)

    def _write(self, path: Path, raw: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        try:
            os.write(descriptor, raw)
        finally:
            os.close(descriptor)

    def _resume(self, swap_id: str) -> _Open:
        """Find where a log stands that an earlier process wrote."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        parts = self._parts(swap_id)
        if not parts:
            return _Open(0, 0, 0)
        last = parts[-1]
        if last.path.suffix == ".gz":
            return _Open(last.number + 1, 0, 0)
        raw = last.path.read_bytes()
        if raw and not raw.endswith(b"\n"):
            # A kill or a full disk cut the last line.
            self._write(last.path, b"\n")
        return _Open(last.number, raw.count(b"\n"), len(raw))

    def _path(self, swap_id: str, part: int) -> Path:
        return self._folder / (f"{swap_id}.{part}.tail" if part else f"{swap_id}.log")

    def _parts(self, swap_id: str) -> list[_Part]:
        """Return the parts of one log in order; of a part and its compressed twin, the part."""
        found: dict[int, _Part] = {}
        for part in self._all_parts():
            known = found.get(part.number)
            if part.swap_id == swap_id and (known is None or known.path.suffix == ".gz"):
                found[part.number] = part
        return [found[number] for number in sorted(found)]

    def _all_parts(self) -> Iterator[_Part]:
        try:
            paths = list(self._folder.iterdir())
        except FileNotFoundError:
            return
        for path in paths:
            match = _PART.fullmatch(path.name)
            if match is not None:
                yield _Part(match[1], int(match[2] or 0), path)

    def _read(self, swap_id: str) -> KeptLog | None:
        lines: list[str] = []
        cut, before = False, -1
        for part in self._parts(swap_id):
            raw = _content(part.path)
            if raw is None:
                continue
            if part.number > before + 1:
                cut = True
                lines.append(_LEFT_OUT)
            before = part.number
            whole, _, rest = raw.decode(errors="replace").rpartition("\n")
            lines += [*(whole.split("\n") if raw else ()), *([rest] if rest else ())]
        return KeptLog(tuple(lines), cut) if before >= 0 else None

    def _compress(self, swap_id: str) -> None:
        for part in self._parts(swap_id):
            if part.path.suffix == ".gz":
                continue
            smaller = part.path.with_name(part.path.name + ".gz")
            unfinished = part.path.with_name(f".{part.path.name}.tmp")
            unfinished.unlink(missing_ok=True)
            self._write(unfinished, gzip.compress(part.path.read_bytes(), mtime=0))
            unfinished.replace(smaller)
            part.path.unlink()

    def _prune(self) -> None:
        """Drop what is too old, then the oldest until the rest is small enough."""
        sizes: dict[str, int] = {}
        ages: dict[str, float] = {}
        paths: dict[str, list[Path]] = {}
        for part in self._all_parts():
            try:
                status = part.path.stat()
            except FileNotFoundError:
                continue
            sizes[part.swap_id] = sizes.get(part.swap_id, 0) + status.st_size
            ages[part.swap_id] = max(ages.get(part.swap_id, 0.0), status.st_mtime)
            paths.setdefault(part.swap_id, []).append(part.path)
        total = sum(sizes.values())
        too_old = self._clock.now().timestamp() - _KEPT_SECONDS
        for swap_id in sorted(paths, key=lambda each: ages[each]):
            if total <= self._most_bytes and ages[swap_id] >= too_old:
                return
            if swap_id in self._open:
                continue
            for path in paths[swap_id]:
                path.unlink(missing_ok=True)
            total -= sizes[swap_id]


def _one_line(line: str) -> bytes:
    text = " ".join(line.splitlines()) if "\n" in line or "\r" in line else line
    return text.encode(errors="replace") + b"\n"


def _content(path: Path) -> bytes | None:
    """Return the bytes of a part; None when it is gone or cannot be read."""
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError):
        return None
