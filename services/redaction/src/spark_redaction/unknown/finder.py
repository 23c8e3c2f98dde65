"""Looks through a whole text piece by piece, some at once, until it is done or time is over."""

import asyncio
import re
from collections.abc import Callable
from typing import Final

import structlog

from spark_common.clock import Clock
from spark_common.tasks import end
from spark_redaction.desk.counts import ASKED_OTHERWISE, SEEKING_SECONDS
from spark_redaction.unknown.memory import Memory
from spark_redaction.unknown.pieces import halves, pieces
from spark_redaction.unknown.ports import CutShortError, Found, Name, NoAnswerError, Reader
from spark_redaction.unknown.sifting import KINDS, STRICT_KINDS, sifted

AT_ONCE: Final = 4
"""Pieces that a model reads at the same time, of all texts together."""
MOST_NAMES: Final = 2_000
"""Of one text; with more of them it was not looked at whole."""
_HALVINGS: Final = 2
_UNSENDABLE: Final = re.compile("[\0\ud800-\udfff]")
"""Breaks between texts, and halves of characters, which no server takes."""

log = structlog.get_logger()


class Finder:
    """A ``NameFinder`` with one reader. What one tenant's text gave serves no other's."""

    def __init__(
        self,
        reader: Reader,
        seconds: Callable[[], float],
        clock: Clock,
        is_set_up: Callable[[], bool] = lambda: True,
    ) -> None:
        """``seconds``: the longest look just now; ``is_set_up``: see ``NameFinder``."""
        self._reader = reader
        self._seconds = seconds
        self._clock = clock
        self._is_set_up = is_set_up
        self._memory = Memory(clock)
        self._places = asyncio.Semaphore(AT_ONCE)

    def is_set_up(self) -> bool:
        """See ``NameFinder``."""
        return self._is_set_up()

    async def model(self) -> str | None:
        """See ``Reader``."""
        return await self._reader.model()

    async def find(self, model: str, tenant: str, text: str, *, strict: bool) -> Found:
        """Look; see ``NameFinder``."""
        # The same length, so that whatever is said stands in the text as it is.
        parts = list(dict.fromkeys(pieces(_UNSENDABLE.sub(" ", text))))
        waiting = iter(parts)
        names: dict[str, Name] = {}
        read = 0
        began = self._clock.monotonic()

        async def reading() -> None:
            nonlocal read
            for piece in waiting:
                try:
                    found = await self._read(model, tenant, piece, strict, _HALVINGS)
                except NoAnswerError as error:
                    log.info("redaction.names_not_read", reason=error.message)
                    continue
                fresh = [name for name in found if name.text not in names]
                if len(names) + len(fresh) > MOST_NAMES:
                    return
                names.update((name.text, name) for name in fresh)
                read += 1

        readers = [asyncio.create_task(reading()) for _ in range(min(AT_ONCE, len(parts)))]
        over = asyncio.create_task(self._clock.sleep(self._seconds()))
        try:
            pending = set(readers)
            while pending and not over.done():
                _, pending = await asyncio.wait(
                    {*pending, over}, return_when=asyncio.FIRST_COMPLETED
                )
                pending.discard(over)
        finally:
            await end([*readers, over])
        for reader in readers:
            if not reader.cancelled():
                reader.result()
        outcome = "full" if read >= len(parts) else "partial" if read else "unavailable"
        SEEKING_SECONDS.labels(outcome).observe(self._clock.monotonic() - began)
        return Found(tuple(names.values()), len(parts), read)

    async def _read(
        self, model: str, tenant: str, piece: str, strict: bool, halvings: int
    ) -> list[Name]:
        kinds = STRICT_KINDS if strict else KINDS
        question = (tenant, model, *kinds)
        known = self._memory.recall(question, piece)
        if known is not None:
            return known
        try:
            async with self._places:
                said = await self._reader.read(model, piece, kinds)
        except CutShortError:
            shorter = halves(piece)
            if not halvings or len(shorter) < 2:
                raise
            ASKED_OTHERWISE.labels("halves").inc()
            return [
                name
                for half in shorter
                for name in await self._read(model, tenant, half, strict, halvings - 1)
            ]
        names = sifted(piece, said, strict=strict)
        self._memory.keep(question, piece, names)
        return names
