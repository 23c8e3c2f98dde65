"""Times in which a service answered and could not do its work, from what deep checks told."""

from collections import deque
from datetime import datetime
from typing import Final

from spark_common.contracts.health import WorkFailure
from spark_common.events import HealthChecked

MOST: Final = 100
"""Failures that are told; a service that fails for ever is one."""
_KEPT: Final = 2000
_WELL: Final = frozenset({"ok", "idle"})
"""What ends one. A check that found out nothing ends none, and who is not there is no failure of
work: that is told as a transition."""


class Failures:
    """Takes what is told of deep checks, in their order."""

    def __init__(self) -> None:
        self._over: deque[WorkFailure] = deque(maxlen=_KEPT)
        self._open: dict[str, WorkFailure] = {}
        self._latest: dict[str, datetime] = {}

    def add(self, event: HealthChecked) -> None:
        """Take one result in, once however often it is told."""
        if self._latest.get(event.target, event.at) > event.at:
            return
        self._latest[event.target] = event.at
        failure = self._open.get(event.target)
        if failure is None and (event.state == "failing" or event.state == "wedged"):
            self._open[event.target] = WorkFailure(
                target=event.target, state=event.state, sentence=event.sentence, since=event.at
            )
        elif failure is not None and event.state == "wedged":
            # Stuck is what people have to know, and what is said of it says why.
            said = {"state": "wedged", "sentence": event.sentence}
            self._open[event.target] = failure.model_copy(update=said)
        elif failure is not None and event.state in _WELL:
            ending = {"until": event.at, "restarted": event.trigger == "remedy"}
            self._over.append(self._open.pop(event.target).model_copy(update=ending))

    def since(self, since: datetime, target: str | None) -> list[WorkFailure]:
        """Return those that lasted into the time asked for, the newest first."""
        found = [
            failure
            for failure in (*self._over, *self._open.values())
            if target in (None, failure.target)
            and (failure.until is None or failure.until >= since)
        ]
        return sorted(found, key=lambda one: one.since, reverse=True)[:MOST]
