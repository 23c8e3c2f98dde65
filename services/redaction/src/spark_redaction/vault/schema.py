"""The tables. No text and no value is in them in clear."""

import sqlite3
from pathlib import Path

from spark_redaction.vault.keyfile import MasterKey
from spark_redaction.vault.sealing import SCHEMA, WrongKeyError

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS scope (
  scope_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, session_id TEXT NOT NULL, profile TEXT NOT NULL,
  created REAL NOT NULL, expires REAL NOT NULL, wrapped_dek BLOB, next_n TEXT NOT NULL,
  UNIQUE (tenant, session_id));
CREATE TABLE IF NOT EXISTS task (
  task_id TEXT PRIMARY KEY, scope_id TEXT NOT NULL, tenant TEXT NOT NULL, created REAL NOT NULL,
  expires REAL NOT NULL, bytes INTEGER NOT NULL, counts TEXT NOT NULL,
  gone INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS task_scope ON task (scope_id);
CREATE TABLE IF NOT EXISTS token (
  scope_id TEXT NOT NULL, placeholder TEXT NOT NULL, type TEXT NOT NULL, number INTEGER NOT NULL,
  ct BLOB NOT NULL, value_mac BLOB NOT NULL, key_mac BLOB NOT NULL,
  PRIMARY KEY (scope_id, placeholder)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS token_value ON token (value_mac);
CREATE INDEX IF NOT EXISTS token_key ON token (key_mac);
CREATE TABLE IF NOT EXISTS erased (value_mac BLOB PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entity_set (
  tenant TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, names INTEGER NOT NULL,
  updated REAL NOT NULL, wrapped_dek BLOB NOT NULL, ct BLOB NOT NULL, PRIMARY KEY (tenant, name));
CREATE TABLE IF NOT EXISTS audit (
  at REAL NOT NULL, tenant TEXT NOT NULL, action TEXT NOT NULL, task_id TEXT, counts TEXT NOT NULL,
  bytes INTEGER NOT NULL, actor TEXT NOT NULL DEFAULT '', ms INTEGER NOT NULL DEFAULT 0,
  outcome TEXT NOT NULL DEFAULT 'ok', caller TEXT NOT NULL DEFAULT '');
"""
_ADDED_TO_AUDIT = {
    "actor": "TEXT NOT NULL DEFAULT ''",
    "ms": "INTEGER NOT NULL DEFAULT 0",
    "outcome": "TEXT NOT NULL DEFAULT 'ok'",
    "caller": "TEXT NOT NULL DEFAULT ''",
}
"""Columns that a map of an earlier version lacks."""


def open_database(path: Path, master: MasterKey) -> sqlite3.Connection:
    """Open, or create with mode 0600; raises WrongKeyError when another key made it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
    path.chmod(0o600)
    database = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("PRAGMA secure_delete=ON")
    database.execute("PRAGMA busy_timeout=5000")
    database.execute("PRAGMA temp_store=MEMORY")
    database.executescript(_TABLES)
    there = {row[1] for row in database.execute("PRAGMA table_info(audit)")}
    for column, kind in _ADDED_TO_AUDIT.items():
        if column not in there:
            database.execute(f"ALTER TABLE audit ADD COLUMN {column} {kind}")
    known = dict(database.execute("SELECT name, value FROM meta"))
    if known.get("key_id", master.id) != master.id:
        database.close()
        raise WrongKeyError
    database.execute(
        "INSERT OR IGNORE INTO meta VALUES ('schema_version', ?), ('key_id', ?)",
        (str(SCHEMA), master.id),
    )
    return database
