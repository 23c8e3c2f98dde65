"""The record of watching in memory, with outages."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from spark_common.contracts.health import Maintenance
from spark_common.errors import UnavailableError
from spark_health.watching.standing import Standing
from spark_health.watching.uptime import Counted


class MemoryStandings:
    """Compares numbers as the script in Redis does; ``away`` plays an outage."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}
        self.entries: list[Mapping[str, Any]] = []
        self.away = False
        self.loses_answers = False
        """What is written is written, and nobody hears of it."""

    async def all(self) -> dict[str, Standing]:
        """Return every row, read anew."""
        self._require()
        return {name: Standing.model_validate_json(row) for name, row in self.rows.items()}

    async def one(self, target: str) -> Standing | None:
        """Return one row, read anew."""
        return (await self.all()).get(target)

    async def settle(self, target: str, after: Standing, entry: Mapping[str, object]) -> bool:
        """Write row and entry together."""
        written = self._put(target, after.n - 1, after)
        if written:
            self.entries.append(json.loads(json.dumps(entry)))
        if self.loses_answers:
            raise UnavailableError("the answer was lost")
        return written

    async def save(self, target: str, standing: Standing) -> bool:
        """Write the row."""
        return self._put(target, standing.n, standing)

    async def forget(self, target: str) -> None:
        """Drop the row."""
        self._require()
        self.rows.pop(target, None)

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """Target, before and after of every transition that was written."""
        return [
            (one["data"]["target"], one["data"]["from"], one["data"]["to"]) for one in self.entries
        ]

    def _put(self, target: str, number: int, standing: Standing) -> bool:
        self._require()
        row = self.rows.get(target)
        found = 0 if row is None else Standing.model_validate_json(row).n
        if found != number:
            return False
        self.rows[target] = standing.model_dump_json()
        return True

    def _require(self) -> None:
        if self.away:
            raise UnavailableError("the record is away")


class MemoryUptime:
    """Hours by target."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, Any]] = {}
        self.away = False

    async def read(self, target: str) -> Counted:
        """Return what was written."""
        if self.away:
            raise UnavailableError("the record is away")
        return Counted(self.rows.get(target, {}))

    async def write(self, target: str, counted: Counted, now: datetime) -> None:
        """Take the hours over."""
        self.rows[target] = dict(counted.hours)
        counted.dirty.clear()


class MemoryMaintenance:
    """Windows as a test sets them."""

    def __init__(self) -> None:
        self.windows: list[Maintenance] = []

    async def refresh(self) -> None:
        """Nothing to read."""


class Silence:
    """Tells nobody."""

    def wake(self) -> None:
        """Nothing."""
