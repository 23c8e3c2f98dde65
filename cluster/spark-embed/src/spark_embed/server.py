"""The models behind the routes: loading, batching, limits."""

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Literal, TypeVar

from spark_embed.batching import Batcher, BusyError
from spark_embed.bodies import EmbedRequest, RankRequest
from spark_embed.meters import Meters
from spark_embed.ports import BrokenModelError, Encoded, Models, OutOfMemoryError, Tokens
from spark_embed.refusals import RefusalError, bad
from spark_embed.settings import Settings

R = TypeVar("R")
State = Literal["loading", "ok", "failed"]


class Server:
    """One process: at most one encoder and one ranker, and one thread in which they run."""

    def __init__(
        self,
        settings: Settings,
        load: Callable[[Settings], Models],
        meters: Meters,
        broke: Callable[[], None] = lambda: None,
    ) -> None:
        """``load`` is called once, in the thread of the models; ``broke`` when they are lost."""
        self.settings = settings
        self.meters = meters
        self.state: State = "loading"
        self.problem: str | None = None
        self.created = int(time.time())
        self._load = load
        self._told = broke
        self._thread = ThreadPoolExecutor(1, "models")
        self._models: Models | None = None
        self._encoding: Batcher[Encoded] | None = None
        self._ranking: Batcher[float] | None = None

    async def start(self) -> None:
        """Load the models. What goes wrong is the state, and said by every answer."""
        loop = asyncio.get_running_loop()
        try:
            models = await loop.run_in_executor(self._thread, self._load, self.settings)
        except Exception as error:
            self.state, self.problem = "failed", f"{type(error).__name__}: {error}"[:500]
            return
        self._encoding = self._batcher(models.encoder.name, models.encoder.run)
        if models.ranker is not None:
            self._ranking = self._batcher(models.ranker.name, models.ranker.run)
        self._models, self.state = models, "ok"

    def stop(self) -> None:
        """Take on nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def waiting_tokens(self) -> int:
        """Tokens that wait for either model."""
        both = (self._encoding, self._ranking)
        return sum(one.waiting_tokens for one in both if one is not None)

    def models(self) -> Models:
        """Return what is loaded. Raises RefusalError while nothing is."""
        if self._models is None or self.state != "ok":
            if self.state == "loading":
                raise RefusalError(503, "The models are being loaded.", retry_seconds=5)
            raise RefusalError(503, f"The models cannot be used: {self.problem}")
        return self._models

    async def encode(self, asked: EmbedRequest) -> tuple[list[Encoded], int]:
        """Return vectors and the number of tokens. Raises RefusalError."""
        encoder = self.models().encoder
        inputs = await self._aside(partial(encoder.tokenize, asked.texts))
        if asked.cut_at is not None:
            inputs = [encoder.cut(tokens, asked.cut_at) for tokens in inputs]
        longest = max(map(len, inputs))
        if longest > encoder.max_tokens:
            raise bad(
                f"This model's maximum context length is {encoder.max_tokens} tokens. However, "
                f"your prompt contains {longest} input tokens. Please reduce the length of the "
                f"input prompt. (parameter=input_tokens, value={longest})",
                "input_tokens",
            )
        found, tokens = await self._submit(self._encoding, inputs)
        _require_numbers(value for one in found for value in one.dense)
        return found, tokens

    async def rank(self, asked: RankRequest) -> tuple[list[float], int]:
        """Return a relevance per document and the number of tokens. Raises RefusalError."""
        ranker = self.models().ranker
        if ranker is None:
            raise RefusalError(404, "No reranker is loaded.")
        pairs = await self._aside(partial(ranker.pair, asked.query, asked.documents))
        scores, tokens = await self._submit(self._ranking, pairs)
        _require_numbers(scores)
        return scores, tokens

    async def _aside(self, work: Callable[[], list[Tokens]]) -> list[Tokens]:
        # Tokenizers let go of the interpreter's lock: health answers meanwhile.
        return await asyncio.to_thread(work)

    async def _submit(
        self, batcher: Batcher[R] | None, inputs: Sequence[Tokens]
    ) -> tuple[list[R], int]:
        tokens = sum(map(len, inputs))
        if tokens > self.settings.embed_queue_tokens:
            raise RefusalError(
                413, f"A request may have {self.settings.embed_queue_tokens} tokens, not {tokens}."
            )
        assert batcher is not None  # noqa: S101 - models() has said so
        try:
            return await batcher.submit(inputs), tokens
        except BusyError:
            raise RefusalError(503, "Too much is waiting already.", retry_seconds=1) from None
        except OutOfMemoryError:
            raise RefusalError(
                503, "There is not enough memory for a text of this length.", retry_seconds=5
            ) from None
        except BrokenModelError as error:
            raise RefusalError(503, f"The models cannot be used: {error}") from None

    def _batcher(self, name: str, run: Callable[[Sequence[Tokens]], list[R]]) -> Batcher[R]:
        settings = self.settings
        return Batcher(
            run,
            self._thread,
            batch_tokens=settings.embed_batch_tokens,
            batch_items=settings.embed_batch_items,
            queue_tokens=settings.embed_queue_tokens,
            ran=partial(self.meters.ran, name),
            broke=self._break,
        )

    def _break(self) -> None:
        self.state, self.problem = "failed", "the model failed; the container starts anew"
        self._told()


def _require_numbers(values: Iterable[float]) -> None:
    """Refuse what no JSON can say and nobody can compare: a half float that ran over."""
    if not all(map(math.isfinite, values)):
        raise RefusalError(500, "The model made no numbers of this text.")
