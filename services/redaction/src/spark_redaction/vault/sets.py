"""Named sets of known entities, sealed like everything else."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from spark_common.errors import NotFoundError
from spark_redaction.vault.keyfile import MasterKey
from spark_redaction.vault.sealing import new_scope_key, seal, unseal

Names = list[tuple[str, str, list[str], str | None]]
"""Type, value, aliases, id of each."""


@dataclass(frozen=True)
class EntitySet:
    """A version of a named set."""

    name: str
    version: int
    names: int
    updated: float
    entities: Names = field(default_factory=list, repr=False)


class EntitySets:
    """Reads and replaces them whole."""

    def __init__(self, database: sqlite3.Connection, master: MasterKey) -> None:
        self._database = database
        self._master = master

    def put(self, tenant: str, name: str, entities: Sequence[object], now: float) -> EntitySet:
        """Replace a set; readers see the old one or the new one."""
        row = self._database.execute(
            "SELECT version FROM entity_set WHERE tenant = ? AND name = ?", (tenant, name)
        ).fetchone()
        version = 1 if row is None else int(row[0]) + 1
        key = new_scope_key()
        place = ("set", tenant, name, str(version))
        self._database.execute(
            "INSERT OR REPLACE INTO entity_set VALUES (?, ?, ?, ?, ?, ?, ?)",
            (tenant, name, version, len(entities), now, seal(self._master.octets, key, *place),
             seal(key, json.dumps(list(entities)).encode(), *place)),
        )  # fmt: skip
        return EntitySet(name, version, len(entities), now)

    def get(self, tenant: str, name: str, *, contents: bool = True) -> EntitySet:
        """Return a set; NotFoundError."""
        row = self._database.execute(
            "SELECT version, names, updated, wrapped_dek, ct FROM entity_set "
            "WHERE tenant = ? AND name = ?",
            (tenant, name),
        ).fetchone()
        if row is None:
            raise NotFoundError("there is no such entity set")
        version, names, updated, wrapped, sealed = row
        entities: Names = []
        if contents:
            place = ("set", tenant, name, str(version))
            key = unseal(self._master.octets, wrapped, *place)
            entities = json.loads(unseal(key, sealed, *place))
        return EntitySet(name, version, names, updated, entities)

    def remove(self, tenant: str, name: str) -> None:
        """Forget a set; NotFoundError."""
        changed = self._database.execute(
            "DELETE FROM entity_set WHERE tenant = ? AND name = ?", (tenant, name)
        ).rowcount
        if not changed:
            raise NotFoundError("there is no such entity set")
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def listed(self, tenant: str) -> list[EntitySet]:
        """All of a tenant, without contents."""
        rows = self._database.execute(
            "SELECT name, version, names, updated FROM entity_set WHERE tenant = ? ORDER BY name",
            (tenant,),
        )
        return [EntitySet(*row) for row in rows]
