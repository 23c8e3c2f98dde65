"""Takes the values of an old install over at the first start that finds its file, and never again.

Values and the note that it happened are one script: a process that dies before it did nothing.
"""

import asyncio
from pathlib import Path

import structlog

from spark_common.clock import Clock
from spark_common.contracts.owner_settings import SettingsView
from spark_common.errors import UnavailableError
from spark_common.owner import Table
from spark_coordinator.owner.migration import (
    FILE,
    Note,
    OldValues,
    UnreadableError,
    read_note,
    read_old,
)
from spark_coordinator.owner.store import OverlayStore
from spark_coordinator.owner.viewing import set_by_owner

_RETRY_SECONDS = 2.0
_log = structlog.get_logger()


class Migrating:
    """Tries until it is certain that there is nothing left to take over."""

    def __init__(self, store: OverlayStore, table: Table, folder: Path, clock: Clock) -> None:
        self._store = store
        self._table = table
        self._folder = folder
        self._clock = clock
        self._unreadable: str | None = None

    async def run(self) -> None:
        """Migrate once Redis answers; then never return, as a loop of a service."""
        while True:
            try:
                await self.migrate()
                break
            except UnavailableError:
                await self._clock.sleep(_RETRY_SECONDS)
        await asyncio.Event().wait()

    async def migrate(self) -> None:
        """Do it, unless it was done. Raises UnavailableError while Redis is away."""
        if await self._store.migrated() is not None:
            return
        old = self._old()
        if old is None:
            return
        note = Note(at=self._clock.now(), taken=old.names, left_behind=list(old.left_behind))
        taken = await self._store.migrate(old.change, note.model_dump_json())
        if taken is not None:
            _log.info("settings.migrated", taken=taken, left_behind=len(old.left_behind))

    async def warnings(self, shown: SettingsView) -> list[str]:
        """Return what did not come over and has no value of the owner by now."""
        if self._unreadable is not None:
            return [self._unreadable]
        note = read_note(await self._store.migrated())
        return [] if note is None else note.warnings(set_by_owner(shown), self._clock.now())

    def _old(self) -> OldValues | None:
        self._unreadable = None
        try:
            return read_old(self._folder, self._table)
        except UnreadableError as why:
            self._unreadable = f"{why}; correct {FILE} and start again, or move it away"
            _log.warning("settings.old_unreadable", reason=str(why))
            return None
