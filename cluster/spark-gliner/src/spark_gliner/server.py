"""The model behind the routes: loading, windows, limits."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from spark_gliner.bodies import Question
from spark_gliner.meters import Meters
from spark_gliner.ports import BrokenModelError, Entity, OutOfMemoryError, Tagger
from spark_gliner.refusals import RefusalError
from spark_gliner.settings import Settings
from spark_gliner.windows import joined, windows

State = Literal["loading", "ok", "failed"]


class Server:
    """One process with one model, and one thread in which it runs, first come first served."""

    def __init__(
        self,
        settings: Settings,
        load: Callable[[Settings], Tagger],
        meters: Meters,
        broke: Callable[[], None] = lambda: None,
    ) -> None:
        """``load`` is called once, in the model's thread; ``broke`` when the model is lost."""
        self.settings = settings
        self.meters = meters
        self.state: State = "loading"
        self.problem: str | None = None
        self.created = int(time.time())
        self.waiting = 0
        self._load = load
        self._broke = broke
        self._thread = ThreadPoolExecutor(1, "model")
        self._tagger: Tagger | None = None

    async def start(self) -> None:
        """Load the model. What goes wrong is the state, and said by every answer."""
        loop = asyncio.get_running_loop()
        try:
            self._tagger = await loop.run_in_executor(self._thread, self._load, self.settings)
        except Exception as error:
            self.state, self.problem = "failed", f"{type(error).__name__}: {error}"[:500]
            return
        self.state = "ok"

    def stop(self) -> None:
        """Take on nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def tagger(self) -> Tagger:
        """Return the model. Raises RefusalError while there is none."""
        if self._tagger is None or self.state != "ok":
            if self.state == "loading":
                raise RefusalError(503, "The model is being loaded.", retry_seconds=5)
            raise RefusalError(503, f"The model cannot be used: {self.problem}")
        return self._tagger

    async def extract(self, asked: Question) -> list[Entity]:
        """Return the entities of a text. Raises RefusalError."""
        tagger = self.tagger()
        if self.waiting >= self.settings.gliner_waiting:
            raise RefusalError(503, "Too much is waiting already.", retry_seconds=1)
        self.waiting += 1
        try:
            return await self._read(tagger, asked)
        except OutOfMemoryError:
            raise RefusalError(503, "There is not enough memory.", retry_seconds=5) from None
        finally:
            self.waiting -= 1

    async def _read(self, tagger: Tagger, asked: Question) -> list[Entity]:
        settings = self.settings
        parts = windows(asked.text, settings.gliner_window_words, settings.gliner_overlap_words)
        found: list[list[Entity]] = []
        # One batch at a time: between two of them others have their turn.
        for first in range(0, len(parts), settings.gliner_batch_windows):
            batch = [part.text for part in parts[first : first + settings.gliner_batch_windows]]
            found += await self._tagged(tagger, batch, asked)
        return joined(zip(parts, found, strict=True))

    async def _tagged(
        self, tagger: Tagger, batch: Sequence[str], asked: Question
    ) -> list[list[Entity]]:
        """Run a batch; one that does not fit into memory is halved until it does."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(
                self._thread, tagger.tag, batch, asked.labels, asked.threshold
            )
        except OutOfMemoryError:
            if len(batch) == 1:
                raise
            half = len(batch) // 2
            first = await self._tagged(tagger, batch[:half], asked)
            return first + await self._tagged(tagger, batch[half:], asked)
        except BrokenModelError:
            self.state, self.problem = "failed", "the model failed; the container starts anew"
            self._broke()
            raise RefusalError(503, f"The model cannot be used: {self.problem}") from None
        self.meters.windows.inc(len(batch))
        return found
