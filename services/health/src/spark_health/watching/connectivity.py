"""The connectivity log: the stream of transitions as people read it, with durations."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast, get_args

import structlog
from pydantic import ValidationError

from spark_common.bus.port import Bus, StoredMessage
from spark_common.clock import Clock
from spark_common.contracts.health import Level, Transition, WorkFailure
from spark_common.errors import SparkError
from spark_common.events import HealthChecked, HealthTransition
from spark_health.watching.working import Failures

STREAM: Final = "SC_HEALTH"
_MOST: Final = 20_000
_RETRY_SECONDS: Final = 1.0
_LEVELS: Final = frozenset(get_args(Level))
_log = structlog.get_logger()


@dataclass(frozen=True)
class Row:
    """One transition as it was told."""

    id: str
    event: HealthTransition


class Log:
    """Follows the stream; what a restart forgets is read again from its beginning."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._rows: deque[Row] = deque(maxlen=_MOST)
        self._ids: set[str] = set()
        self._failures = Failures()
        self._until = -1
        self._read = 0
        self._begun = False

    @property
    def complete(self) -> bool:
        """Whether everything that was there at the start is read."""
        return self._begun and self._read >= self._until

    async def run(self) -> None:
        """Read for ever."""
        while not self._begun:
            try:
                _, first, self._until = await self._bus.bounds(STREAM)
                # Of an empty stream nothing is to be read, wherever its numbers are.
                self._read = self._until if first > self._until else 0
                self._begun = True
            except SparkError:
                await self._clock.sleep(_RETRY_SECONDS)
        async for message in self._bus.tail(STREAM, after_seq=0):
            self._read = max(self._read, message.seq)
            if message.subject.startswith("health.transition."):
                self.add(message)
            elif message.subject.startswith("health.checked."):
                self._checked(message)

    def add(self, message: StoredMessage) -> None:
        """Take one message in; what is no transition is left out, and what is there already."""
        if message.envelope is None or message.envelope.id in self._ids:
            return
        try:
            event = HealthTransition.model_validate(message.envelope.data)
        except ValidationError:
            _log.warning("health.log_unreadable", seq=message.seq)
            return
        if len(self._rows) == _MOST:
            self._ids.discard(self._rows[0].id)
        self._ids.add(message.envelope.id)
        self._rows.append(Row(message.envelope.id, event))

    def _checked(self, message: StoredMessage) -> None:
        if message.envelope is None:
            return
        try:
            self._failures.add(HealthChecked.model_validate(message.envelope.data))
        except ValidationError:
            _log.warning("health.log_unreadable", seq=message.seq)

    def failures(self, since: datetime, target: str | None) -> list[WorkFailure]:
        """Return the times in which work failed, as far as they lasted into the time asked for."""
        return self._failures.since(since, target)

    def transitions(
        self, now: datetime, since: datetime, target: str | None, limit: int
    ) -> tuple[list[Transition], bool]:
        """Return those that lasted into the time asked for, newest first, and whether more do."""
        return told(self._rows, now, since, target, limit)


def told(
    rows: Sequence[Row] | deque[Row],
    now: datetime,
    since: datetime,
    target: str | None,
    limit: int,
) -> tuple[list[Transition], bool]:
    """Return transitions with how long each lasted, newest first, and whether there are more."""
    following: dict[str, datetime] = {}
    found: list[Transition] = []
    more = False
    for row in reversed(rows):
        event = row.event
        if target is not None and event.target != target:
            continue
        until = following.get(event.target)
        following[event.target] = event.since
        if until is not None and until < since:
            continue
        if len(found) == limit:
            more = True
            break
        end = until or max(now, event.since)
        found.append(
            Transition(
                id=row.id,
                target=event.target,
                kind=event.kind,
                label=event.label or event.target,
                before=_level(event.before),
                after=_level(event.after),
                reason=event.reason,
                since=event.since,
                until=until,
                seconds=round(max(0.0, (end - event.since).total_seconds()), 3),
                before_seconds=event.before_seconds,
                maintenance=event.maintenance,
            )
        )
    found.sort(key=lambda one: one.since, reverse=True)
    return found, more


def _level(word: str | None) -> Level:
    return cast("Level", word) if word in _LEVELS else "unknown"
