"""What was done for whom, in counts alone; no text, no value, no placeholder."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from spark_common.events import RedactionAction, RedactionActor

OK: Final = "ok"
LEAK: Final = "leak"
_MOST_LINES: Final = 500_000
"""Refusals are written as well, so somebody could fill the disk with them."""


@dataclass
class Act:
    """One thing that is being done; who does it fills in what only then is known."""

    action: RedactionAction
    actor: RedactionActor
    tenant: str | None = None
    task_id: str | None = None
    entity_set: str | None = None
    profile: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    size: int = 0
    """Octets of the question."""
    outcome: str = OK
    ms: int = 0
    written: bool = False
    caller: str = ""
    """What the gateway says the key is called: written down, and trusted with nothing."""


def note(database: sqlite3.Connection, now: float, act: Act) -> None:
    """Write one line; kept for thirty days."""
    database.execute(
        "INSERT INTO audit "
        "(at, tenant, actor, action, task_id, counts, bytes, ms, outcome, caller) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (now, act.tenant or "", act.actor, act.action, act.task_id,
         json.dumps(dict(act.counts)), act.size, act.ms, act.outcome, act.caller),
    )  # fmt: skip
    act.written = True


def forget_before(database: sqlite3.Connection, oldest: float) -> None:
    """Drop lines that are too old, or too many."""
    database.execute(
        "DELETE FROM audit WHERE at < ? OR rowid <= (SELECT max(rowid) FROM audit) - ?",
        (oldest, _MOST_LINES),
    )
