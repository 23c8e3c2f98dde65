"""What was done for whom, in counts alone; no text, no value, no placeholder."""

import json
import sqlite3
from collections.abc import Mapping


def note(
    database: sqlite3.Connection,
    now: float,
    tenant: str,
    action: str,
    *,
    task_id: str | None = None,
    counts: Mapping[str, int] | None = None,
    size: int = 0,
) -> None:
    """Write one line; kept for thirty days."""
    database.execute(
        "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)",
        (now, tenant, action, task_id, json.dumps(dict(counts or {})), size),
    )
