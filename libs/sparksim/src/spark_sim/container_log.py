"""The log of a container: what its processes write to ``/proc/1/fd/1``, with the time."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from spark_sim.pace import now, rfc3339

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_UNIT = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class ContainerLog:
    """Reads a named pipe, cuts at line ends as docker does and keeps the lines in a file."""

    def __init__(self, path: Path) -> None:
        self.pipe = path.with_suffix(".pipe")
        self._path = path
        self._partial = b""
        self._descriptor: int | None = None
        self._grown = asyncio.Event()
        self.ended = False

    def open(self) -> None:
        """Start reading; needs a running event loop."""
        if not self.pipe.exists():
            os.mkfifo(self.pipe)
        self._path.touch()
        # Opened for writing too, so that the pipe never ends between two writers.
        self._descriptor = os.open(self.pipe, os.O_RDWR | os.O_NONBLOCK)
        asyncio.get_running_loop().add_reader(self._descriptor, self._read)

    def write(self, line: str) -> None:
        """Add a line of a process that the simulator plays itself."""
        self._take(line.encode() + b"\n")

    def close(self) -> None:
        """Stop reading; followers end."""
        if self._descriptor is not None:
            self._read()
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None
        self.pipe.unlink(missing_ok=True)
        self.ended = True
        self._wake()

    def delete(self) -> None:
        """Forget the log, as the removal of a container does."""
        self.close()
        self._path.unlink(missing_ok=True)

    def lines(self, since: str = "") -> list[tuple[str, bytes]]:
        """Return (time, line) pairs; lines keep their carriage returns."""
        if not self._path.exists():
            return []
        found: list[tuple[str, bytes]] = []
        for row in self._path.read_bytes().split(b"\n")[:-1]:
            stamp, _, line = row.partition(b" ")
            if (moment := stamp.decode()) >= since:
                found.append((moment, line))
        return found

    async def follow(self, since: str = "") -> AsyncIterator[tuple[str, bytes]]:
        """Yield lines as they come, until the container's end."""
        shown = 0
        while True:
            grown, ended = self._grown, self.ended
            rows = self.lines(since)
            for row in rows[shown:]:
                yield row
            shown = len(rows)
            if ended:
                return
            await grown.wait()

    def _read(self) -> None:
        if self._descriptor is None:
            return
        try:
            while piece := os.read(self._descriptor, 65536):
                self._take(piece)
        except BlockingIOError:
            return

    def _take(self, piece: bytes) -> None:
        *whole, self._partial = (self._partial + piece).split(b"\n")
        if not whole:
            return
        moment = rfc3339(now())[:-4]
        with self._path.open("ab") as stream:
            for count, line in enumerate(whole):
                # Nanoseconds tell the lines of one write apart, as on a real host.
                stream.write(f"{moment}{min(count, 999):03d}Z ".encode() + line + b"\n")
        self._wake()

    def _wake(self) -> None:
        previous, self._grown = self._grown, asyncio.Event()
        previous.set()


def parse_since(text: str) -> str:
    """Read ``--since``: RFC 3339, seconds since 1970 or a duration back.

    Returns a stamp that compares with those of the lines. Raises ValueError.
    """
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return rfc3339(datetime.fromtimestamp(float(text), UTC))
    if re.fullmatch(f"(?:{_DURATION.pattern})+", text):
        pieces = [(match[1], match[2]) for match in _DURATION.finditer(text)]
        return rfc3339(now() - timedelta(seconds=sum(float(n) * _UNIT[unit] for n, unit in pieces)))
    fraction = re.search(r"\.(\d+)", text)
    moment = datetime.fromisoformat(re.sub(r"\.\d+", "", text))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    digits = (fraction[1] if fraction else "").ljust(9, "0")[:9]
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{digits}Z"
