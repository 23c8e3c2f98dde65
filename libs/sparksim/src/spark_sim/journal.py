"""What happened on the Sparks, in order: the judge of tests that kill things."""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from spark_sim.pace import now

_BLOCK = 1000
_KEPT = 50_000
"""Effects that are kept, in memory and in the file; the file may hold twice as many meanwhile."""
_PASSING = frozenset({"ssh_command", "ssh_connection"})
"""Kinds that are kept in memory only: a watcher's polling would fill any disk."""


@dataclass(frozen=True)
class Entry:
    """One effect."""

    seq: int
    time: str
    host: str
    kind: str
    details: Mapping[str, object]


class Journal:
    """Numbers effects across restarts of the simulator and keeps them in a file."""

    def __init__(self, directory: Path, kept: int = _KEPT) -> None:
        self._kept = kept
        self._path = directory / "journal.jsonl"
        self._mark = directory / "journal.mark"
        self._written = 0
        self._entries: deque[Entry] = deque(maxlen=kept)
        if self._path.exists():
            self._entries.extend(_read(self._path))
            self._shorten()
        self._next = self._first_number()
        self._reserved = self._next

    def _first_number(self) -> int:
        """Return a number above all that were given; a mark cut by a kill counts as lost."""
        last = self._entries[-1].seq if self._entries else 0
        try:
            return max(int(self._mark.read_text()), last + 1)
        except FileNotFoundError:
            return last + 1
        except ValueError:
            return last + _BLOCK

    def add(self, host: str, kind: str, **details: object) -> Entry:
        """Append an effect; it is in the file when this returns, unless it is a passing one."""
        if self._next >= self._reserved:
            self._reserved = self._next + _BLOCK
            self._mark.write_text(str(self._reserved))
        entry = Entry(self._next, now().isoformat(), host, kind, details)
        self._next += 1
        self._entries.append(entry)
        if kind not in _PASSING:
            with self._path.open("a") as stream:
                stream.write(json.dumps(asdict(entry)) + "\n")
            self._written += 1
            if self._written >= 2 * self._kept:
                self._shorten()
        return entry

    def after(self, seq: int) -> list[Entry]:
        """Return the effects with a higher number."""
        return [entry for entry in self._entries if entry.seq > seq]

    def of(self, kind: str, host: str | None = None) -> list[Entry]:
        """Return the effects of one kind, of one host or of all."""
        return [
            entry
            for entry in self._entries
            if entry.kind == kind and (host is None or entry.host == host)
        ]

    def _shorten(self) -> None:
        """Write the file anew with what is still known."""
        kept = [entry for entry in self._entries if entry.kind not in _PASSING]
        draft = self._path.with_suffix(".new")
        draft.write_text("".join(json.dumps(asdict(entry)) + "\n" for entry in kept))
        draft.replace(self._path)
        self._written = len(kept)

    def close(self) -> None:
        """Give back the numbers that were reserved and not used."""
        self._mark.write_text(str(self._next))

    def clear(self) -> None:
        """Forget everything; numbers go on."""
        self._entries.clear()
        self._written = 0
        self._path.unlink(missing_ok=True)


def _read(path: Path) -> list[Entry]:
    entries: list[Entry] = []
    for line in path.read_text("utf-8", errors="replace").splitlines():
        try:
            entries.append(Entry(**json.loads(line)))
        except (ValueError, TypeError):
            # A simulator that was killed may have left half a line.
            continue
    return entries
