"""One look at the container on its Spark: its state, its files, what is kept beside it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from spark_common.errors import RemoteCommandError, UnavailableError
from spark_common.remote import RemoteResult
from spark_health.overlay.source import FILES

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True)
class Kept:
    """What the latest reapply replaced."""

    at: datetime
    image_id: str
    """Of the container it was taken from: in another one it would be out of place."""
    hashes: Mapping[str, str]


@dataclass(frozen=True)
class Sight:
    """What docker and the files say. ``status`` is None when there is no such container."""

    status: str | None = None
    restart_count: int | None = None
    image_id: str | None = None
    image: str | None = None
    hashes: Mapping[str, str | None] = field(default_factory=dict)
    """SHA-256 by file, None for one that is missing; one that could not be read is not in it."""
    kept: Kept | None = None

    def has(self, hashes: Mapping[str, str]) -> bool:
        """Whether both files of the container are these."""
        return all(self.hashes.get(name) == hashes[name] for name in FILES)

    @property
    def as_kept(self) -> bool:
        """Whether the container already has what is kept."""
        if self.kept is None:
            return False
        return all(
            name in self.hashes and self.hashes[name] == self.kept.hashes.get(name)
            for name in FILES
        )


def read_sight(result: RemoteResult, label: str) -> Sight:
    """Read what the script printed. Raises UnavailableError, RemoteCommandError."""
    if result.exit_code is None:
        raise UnavailableError(f"the connection to {label} was lost")
    if not result.ok:
        said = (result.stdout.strip() or result.stderr.strip())[-300:]
        raise RemoteCommandError(f"docker on {label} could not be asked: {said}")
    rows = [line.split() for line in result.stdout.splitlines()]
    container = next((row[1:] for row in rows if row[:1] == ["container"]), [])
    if container[:1] not in (["none"],) and len(container) < 4:
        raise RemoteCommandError(f"the look at the speech container on {label} was not understood")
    kept = _kept(rows)
    if container[0] == "none":
        return Sight(kept=kept)
    return Sight(
        status=container[0],
        restart_count=int(container[1]) if container[1].isdigit() else None,
        image_id=container[2],
        image=container[3],
        hashes=_hashes(rows),
        kept=kept,
    )


def _hashes(rows: list[list[str]]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for row in rows:
        if len(row) == 3 and row[0] == "file" and row[1] in FILES:
            if row[2] == "missing":
                found[row[1]] = None
            elif _SHA256.match(row[2]):
                found[row[1]] = row[2]
    return found


def _kept(rows: list[list[str]]) -> Kept | None:
    head = next((row for row in rows if len(row) == 3 and row[0] == "kept"), None)
    if head is None or not head[1].isdigit() or len(head[1]) > 11:
        return None
    hashes = {
        row[1]: row[2]
        for row in rows
        if len(row) == 3 and row[0] == "keeps" and row[1] in FILES and _SHA256.match(row[2])
    }
    return Kept(datetime.fromtimestamp(int(head[1]), UTC), head[2], hashes)
