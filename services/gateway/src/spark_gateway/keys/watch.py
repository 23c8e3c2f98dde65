"""Keeps the book of keys up to date: at every hint, and by looking where hints were lost."""

from collections.abc import Callable
from datetime import date
from typing import Final

import structlog

from spark_common.bus import Bus
from spark_common.clock import Clock
from spark_common.contracts.api_keys import (
    END_SESSION,
    NOTE_USE,
    READ_RING,
    EndSession,
    NoteUse,
    ReadRing,
)
from spark_common.errors import SparkError
from spark_common.service import ReadyCheck
from spark_common.subjects import KEYS_CHANGED
from spark_gateway.hinted_look import HintedLook
from spark_gateway.keys.book import KeyBook

LOOK_SECONDS: Final = 0.8
"""Between two looks: a revoked key is out within two seconds also without a hint."""
NOTE_SECONDS: Final = 30.0
_OFF_SECONDS: Final = 0.5
_ASK_SECONDS: Final = 1.0
_RELISTEN_SECONDS: Final = 1.0
_LOG = structlog.get_logger()


class KeyWatch:
    """Asks the coordinator while keys are asked for. While nobody answers the last book counts."""

    def __init__(self, bus: Bus, book: KeyBook, on: Callable[[], bool], clock: Clock) -> None:
        self._bus = bus
        self._book = book
        self._on = on
        self._clock = clock
        self._looking = HintedLook(
            self._round,
            lambda: bus.listen(KEYS_CHANGED),
            clock,
            every_seconds=LOOK_SECONDS,
            relisten_seconds=_RELISTEN_SECONDS,
        )
        self._noted: set[str] = set()
        self._day: date | None = None
        self._note_at = 0.0

    @property
    def check(self) -> ReadyCheck:
        """Not ready while keys are asked for and none are known: then nobody is let in."""
        return ReadyCheck("api-keys", self._problem)

    async def run(self) -> None:
        """Watch for ever, as long as keys are asked for."""
        while True:
            if not self._on():
                await self._clock.sleep(_OFF_SECONDS)
                continue
            await self._looking.run_while(self._on)

    async def _round(self) -> None:
        await self._tell_ends()
        await self.look()
        await self._note()

    async def look(self) -> None:
        """Ask once whether there is another version."""
        try:
            question = ReadRing(known_version=self._book.version)
            self._book.learn(
                await self._bus.call(READ_RING, question, timeout_seconds=_ASK_SECONDS)
            )
        except SparkError as error:
            _LOG.debug("keys.unanswered", reason=error.code)
        self._book.look()

    async def _tell_ends(self) -> None:
        """Tell who signed out here, until it was heard."""
        for session, until in self._book.ends_to_tell.items():
            try:
                question = EndSession(id=session, until=until)
                await self._bus.call(END_SESSION, question, timeout_seconds=_ASK_SECONDS)
            except SparkError as error:
                _LOG.debug("keys.end_not_told", reason=error.code)
                return
            self._book.told_end(session)

    async def _note(self) -> None:
        """Tell the day of use of each key, once a day."""
        now = self._clock.monotonic()
        if now < self._note_at:
            return
        self._note_at = now + NOTE_SECONDS
        day = self._clock.now().date()
        if day != self._day:
            self._day, self._noted = day, set()
        used = self._book.take_used() - self._noted
        if not used:
            return
        try:
            question = NoteUse(ids=sorted(used), day=day)
            await self._bus.call(NOTE_USE, question, timeout_seconds=_ASK_SECONDS)
        except SparkError as error:
            _LOG.debug("keys.use_not_noted", reason=error.code)
            self._book.owe_use(used)
        else:
            self._noted |= used

    async def _problem(self) -> str | None:
        if not self._on() or self._book.version is not None:
            return None
        return "API keys are asked for and the coordinator has not said which; nobody is let in"
