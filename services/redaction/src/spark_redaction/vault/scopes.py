"""Scopes, tasks and tokens in the database. Everything here runs in one thread."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from spark_common.errors import ConflictError, GoneError, NotFoundError
from spark_redaction.scrub import Entry, Kind
from spark_redaction.scrub.folding import folded
from spark_redaction.vault.audit import Act, note
from spark_redaction.vault.keyfile import MasterKey
from spark_redaction.vault.sealing import mac, new_scope_key, seal, unseal

KEPT_TOMBSTONES_SECONDS = 30 * 86400


@dataclass(frozen=True)
class Scope:
    """One conversation of one tenant, with its map opened."""

    id: str
    tenant: str
    session_id: str
    profile: str
    expires: float
    key: bytes = field(repr=False)
    next_numbers: Mapping[str, int] = field(default_factory=dict)
    entries: Sequence[Entry] = field(default=(), repr=False)
    fresh: bool = False


@dataclass(frozen=True)
class Task:
    """One call of scrub."""

    id: str
    bytes: int
    counts: Mapping[str, int]
    expires: float


class Scopes:
    """Reads and writes the map."""

    def __init__(self, database: sqlite3.Connection, master: MasterKey) -> None:
        self._database = database
        self._master = master

    def new(
        self, scope_id: str, tenant: str, session_id: str, profile: str, expires: float
    ) -> Scope:
        """Return a scope that is not stored yet."""
        return Scope(scope_id, tenant, session_id, profile, expires, new_scope_key(), fresh=True)

    def of_session(self, tenant: str, session_id: str, now: float) -> Scope | None:
        """Return the scope of a session; None when there is none, GoneError when it is over."""
        row = self._database.execute(
            "SELECT * FROM scope WHERE tenant = ? AND session_id = ?", (tenant, session_id)
        ).fetchone()
        return None if row is None else self._opened(row, now)

    def of_task(self, tenant: str, task_id: str, now: float) -> Scope:
        """Return the scope of a task; another tenant's looks exactly like none."""
        row = self._database.execute(
            "SELECT scope_id, expires, gone FROM task WHERE task_id = ? AND tenant = ?",
            (task_id, tenant),
        ).fetchone()
        if row is None:
            raise NotFoundError("there is no such task")
        if row[2] or row[1] <= now:
            raise GoneError("this task has expired or was deleted; its values are gone")
        scope = self._database.execute(
            "SELECT * FROM scope WHERE scope_id = ?", (row[0],)
        ).fetchone()
        if scope is None:
            raise GoneError("this task has expired or was deleted; its values are gone")
        return self._opened(scope, now)

    def _opened(self, row: tuple[object, ...], now: float) -> Scope:
        scope_id, tenant, session_id, profile, _created, expires, wrapped, next_n = row
        if wrapped is None or float(str(expires)) <= now:
            raise GoneError("this session has expired or was deleted; its values are gone")
        assert isinstance(wrapped, bytes)  # noqa: S101 (narrows the column's type)
        key = unseal(self._master.octets, wrapped, "scope", str(scope_id))
        entries = [
            _entry(key, str(scope_id), token)
            for token in self._database.execute(
                "SELECT placeholder, type, number, ct FROM token WHERE scope_id = ?", (scope_id,)
            )
        ]
        return Scope(
            str(scope_id), str(tenant), str(session_id), str(profile), float(str(expires)), key,
            json.loads(str(next_n)), entries,
        )  # fmt: skip

    def save(
        self,
        scope: Scope,
        task: Task,
        entries: Sequence[Entry],
        next_numbers: Mapping[str, int],
        now: float,
        act: Act,
    ) -> None:
        """Write a task with what it added, and the line of the audit; on disk when this returns.

        Values that somebody asked to be forgotten are not written: their placeholders stay closed.
        """
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        try:
            wrapped = seal(self._master.octets, scope.key, "scope", scope.id)
            database.execute(
                "INSERT INTO scope VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (scope_id) DO UPDATE SET next_n = excluded.next_n, "
                "expires = max(expires, excluded.expires)",
                (scope.id, scope.tenant, scope.session_id, scope.profile, now,
                 max(task.expires, scope.expires), wrapped, json.dumps(dict(next_numbers))),
            )  # fmt: skip
            database.execute(
                "INSERT INTO task VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                (
                    task.id,
                    scope.id,
                    scope.tenant,
                    now,
                    task.expires,
                    task.bytes,
                    json.dumps(dict(task.counts)),
                ),
            )
            database.executemany(
                "INSERT INTO token VALUES (?, ?, ?, ?, ?, ?, ?)", self._rows(scope, entries)
            )
            note(database, now, act)
            database.execute("COMMIT")
        except sqlite3.IntegrityError:
            _undo(database, act)
            raise ConflictError(
                "somebody else uses this session at the same moment; try again"
            ) from None
        except BaseException:
            _undo(database, act)
            raise

    def _rows(self, scope: Scope, entries: Sequence[Entry]) -> list[tuple[object, ...]]:
        rows: list[tuple[object, ...]] = []
        for entry in entries:
            value = mac(self._master, scope.tenant, squeezed(entry.plain))
            key = mac(self._master, scope.tenant, keyed(entry.key))
            forgotten = self._database.execute(
                "SELECT 1 FROM erased WHERE value_mac IN (?, ?)", (value, key)
            ).fetchone()
            if forgotten is None:
                body = json.dumps([entry.variant, entry.key, entry.surface, entry.form])
                sealed = seal(
                    scope.key, body.encode("utf-8", "surrogatepass"), scope.id, entry.token
                )
                rows.append(
                    (scope.id, entry.token, entry.kind.value, entry.number, sealed, value, key)
                )
        return rows


def _undo(database: sqlite3.Connection, act: Act) -> None:
    database.execute("ROLLBACK")
    act.written = False


def squeezed(text: str) -> str:
    """The value as it is looked up: folded, letters and digits only."""
    return "value:" + "".join(character for character in folded(text) if character.isalnum())


def keyed(key: str) -> str:
    """The key of an entity with an id as it is looked up, else its value."""
    return f"key:{key}" if key.startswith("id:") else squeezed(key)


def _entry(key: bytes, scope_id: str, row: tuple[str, str, int, bytes]) -> Entry:
    placeholder, kind, number, sealed = row
    body = unseal(key, sealed, scope_id, placeholder)
    variant, value_key, surface, form = json.loads(body.decode("utf-8", "surrogatepass"))
    return Entry(placeholder, Kind(kind), number, variant, value_key, surface, form)
