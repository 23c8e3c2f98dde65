"""Forgets: the key first, so that what a log or a backup still holds is dead, then the rows."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from spark_common.errors import NotFoundError
from spark_redaction.vault.audit import forget_before
from spark_redaction.vault.keyfile import MasterKey
from spark_redaction.vault.scopes import KEPT_TOMBSTONES_SECONDS, keyed, squeezed
from spark_redaction.vault.sealing import mac

MOST_LISTED = 1_000


@dataclass(frozen=True)
class ScopeView:
    """A scope as a list shows it: no contents."""

    tenant: str
    session_id: str
    profile: str
    created: float
    expires: float
    tasks: int
    placeholders: int
    counts: Mapping[str, int]
    """Placeholders by type."""


class Forgetting:
    """Deletes by time, by name and by value."""

    def __init__(self, database: sqlite3.Connection, master: MasterKey) -> None:
        self._database = database
        self._master = master

    def purge(self, now: float) -> int:
        """Forget what has expired; returns how many scopes."""
        over = [
            row[0]
            for row in self._database.execute(
                "SELECT scope_id FROM scope WHERE expires <= ? AND wrapped_dek IS NOT NULL", (now,)
            )
        ]
        for scope_id in over:
            self._shred(scope_id)
        old = now - KEPT_TOMBSTONES_SECONDS
        self._database.execute(
            "DELETE FROM scope WHERE wrapped_dek IS NULL AND expires < ?", (old,)
        )
        self._database.execute("DELETE FROM task WHERE expires < ?", (old,))
        forget_before(self._database, old)
        if over:
            self._truncate()
        return len(over)

    def session(self, tenant: str, session_id: str) -> None:
        """Forget a session; NotFoundError when the tenant has none of that name."""
        row = self._database.execute(
            "SELECT scope_id FROM scope WHERE tenant = ? AND session_id = ?", (tenant, session_id)
        ).fetchone()
        if row is None:
            raise NotFoundError("there is no such session")
        self._shred(row[0])
        self._truncate()

    def task(self, tenant: str, task_id: str) -> None:
        """Forget a task, and its scope with it when no other task uses it."""
        row = self._database.execute(
            "SELECT scope_id FROM task WHERE task_id = ? AND tenant = ?", (task_id, tenant)
        ).fetchone()
        if row is None:
            raise NotFoundError("there is no such task")
        self._database.execute("UPDATE task SET gone = 1 WHERE task_id = ?", (task_id,))
        others = self._database.execute(
            "SELECT 1 FROM task WHERE scope_id = ? AND gone = 0", (row[0],)
        ).fetchone()
        if others is None:
            self._shred(row[0])
        self._truncate()

    def value(self, tenant: str, *, value: str | None, entity_id: str | None, now: float) -> int:
        """Forget a person in every scope of the tenant, now and later; returns erased tokens."""
        text = keyed(f"id:{entity_id}") if entity_id is not None else squeezed(value or "")
        wanted = mac(self._master, tenant, text)
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        try:
            found = database.execute(
                "SELECT DISTINCT t.scope_id, t.type, t.number "
                "FROM token t JOIN scope s USING (scope_id) "
                "WHERE s.tenant = ? AND (t.value_mac = ? OR t.key_mac = ?)",
                (tenant, wanted, wanted),
            ).fetchall()
            erased = 0
            for place in found:
                erased += database.execute(
                    "DELETE FROM token WHERE scope_id = ? AND type = ? AND number = ?", place
                ).rowcount
            database.execute("INSERT OR REPLACE INTO erased VALUES (?, ?)", (wanted, now))
            database.execute("COMMIT")
        except BaseException:
            database.execute("ROLLBACK")
            raise
        self._truncate()
        return erased

    def scopes(self, tenant: str | None, now: float) -> list[ScopeView]:
        """What is kept for a tenant, or for all of them, the next to expire first."""
        rows = self._database.execute(
            "SELECT tenant, session_id, profile, created, expires, "
            "(SELECT count(*) FROM task WHERE task.scope_id = scope.scope_id AND gone = 0), "
            "(SELECT json_group_object(type, n) FROM (SELECT type, count(*) AS n FROM token "
            "WHERE token.scope_id = scope.scope_id GROUP BY type ORDER BY type)) "
            "FROM scope WHERE tenant = coalesce(?, tenant) AND expires > ? "
            "AND wrapped_dek IS NOT NULL ORDER BY expires LIMIT ?",
            (tenant, now, MOST_LISTED),
        )
        return [_view(*row) for row in rows]

    def _shred(self, scope_id: str) -> None:
        database = self._database
        database.execute("UPDATE scope SET wrapped_dek = NULL WHERE scope_id = ?", (scope_id,))
        database.execute("DELETE FROM token WHERE scope_id = ?", (scope_id,))
        database.execute("UPDATE task SET gone = 1 WHERE scope_id = ?", (scope_id,))

    def _truncate(self) -> None:
        # Until the log is emptied, old pages live on in it.
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _view(
    tenant: str, session_id: str, profile: str, created: float, expires: float, tasks: int,
    types: str,
) -> ScopeView:  # fmt: skip
    counts: dict[str, int] = json.loads(types)
    return ScopeView(
        tenant, session_id, profile, created, expires, tasks, sum(counts.values()), counts
    )
