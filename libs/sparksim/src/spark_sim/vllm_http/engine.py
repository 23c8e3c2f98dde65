"""The engine behind the HTTP surface: plans answers, paces tokens, counts."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from spark_sim.pace import epoch
from spark_sim.vllm_http.answers import answer, thought
from spark_sim.vllm_http.metrics import Metrics
from spark_sim.vllm_http.tokens import Tokenizer

Kind = Literal["reasoning", "content"]
_PREFILL_TOKENS_PER_SECOND = 2500.0


class EngineDeadError(Exception):
    """The engine is gone; the HTTP server is not."""


class Note(Protocol):
    """Writes an effect into the journal."""

    def __call__(self, kind: str, **details: object) -> None:
        """Write."""
        ...


@dataclass(frozen=True)
class Served:
    """What the server was started with, as far as its answers show it."""

    names: tuple[str, ...]
    root: str
    context_length: int
    thinks: bool = False
    image: bool = False
    api_key: str | None = None
    force_usage: bool = False
    pooling: bool = False
    """It embeds: it has no chat."""


@dataclass(frozen=True)
class Asked:
    """What one choice of a request asks for."""

    question: str
    prompt_tokens: int
    max_tokens: int
    stop: tuple[str, ...] = ()
    include_stop: bool = False
    ignore_eos: bool = False
    thinking: bool = False
    variant: int = 0
    continues: bool = False
    """A plain completion: no opening, no thought."""
    reply: str | None = None
    """What is answered instead of small talk, where the model can do what it was asked for."""


@dataclass
class Piece:
    """One token; the last one says why it was the last."""

    kind: Kind
    text: str
    finish: str | None = None
    stop_reason: str | None = None
    tokens: int = 1
    hidden: bool = False
    """A token that shows no text: the end of thinking or of the answer."""


@dataclass
class Tally:
    """What a choice has cost so far."""

    completion: int = 0
    reasoning: int = 0
    text: dict[Kind, str] = field(default_factory=lambda: {"reasoning": "", "content": ""})
    finish: str = "stop"
    stop_reason: str | None = None

    def add(self, piece: Piece) -> None:
        """Count a piece."""
        self.completion += piece.tokens
        self.reasoning += piece.tokens if piece.kind == "reasoning" and not piece.hidden else 0
        self.text[piece.kind] += piece.text
        if piece.finish is not None:
            self.finish, self.stop_reason = piece.finish, piece.stop_reason


class Engine:
    """Generates at a fixed speed for any number of requests at a time."""

    def __init__(
        self, served: Served, *, tokens_per_second: float, drag: Callable[[], float],
        note: Note, wedges: Callable[[], bool], babbles: Callable[[], bool],
        wedges_at_once: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        self.served = served
        self.tokenizer = Tokenizer()
        self.metrics = Metrics(served.names[0])
        self.note = note
        self.died = asyncio.Event()
        self.running = 0
        self.started_at = int(epoch())
        self._tokens_per_second = tokens_per_second
        self._drag = drag
        self._wedges = wedges
        self._babbles = babbles
        self._wedges_at_once = wedges_at_once
        self._answered = 0

    def check(self) -> None:
        """Raise EngineDeadError when it is."""
        if self._wedges_at_once() or (self._wedges() and self._answered):
            self.died.set()
        if self.died.is_set():
            raise EngineDeadError

    async def generate(self, asked: Asked) -> AsyncGenerator[Piece, None]:
        """Yield the pieces of one choice. Closing it early counts as an aborted request."""
        self.check()
        began = epoch()
        self.running += 1
        self.metrics.begin(asked.prompt_tokens)
        count, finish = 0, "abort"
        try:
            await asyncio.sleep(asked.prompt_tokens / _PREFILL_TOKENS_PER_SECOND * self._drag())
            for piece in self._pieces(asked):
                await asyncio.sleep(piece.tokens * self._drag() / self._tokens_per_second)
                if self.died.is_set():
                    raise EngineDeadError
                if count == 0:
                    self.metrics.first_token(epoch() - began)
                count += piece.tokens
                self.metrics.tokens(piece.tokens)
                if piece.finish is not None:
                    finish = piece.finish
                yield piece
        finally:
            self.running -= 1
            self._answered += 1
            self.metrics.end(finish, epoch() - began, asked.prompt_tokens, count)
            self.note("tokens_generated", tokens=count, finish=finish)
            if finish == "abort":
                self.note("client_disconnected", tokens=count)

    def _pieces(self, asked: Asked) -> Sequence[Piece]:
        """Return the whole answer, cut at the limit or a stop string."""
        pieces: list[Piece] = []
        if self._babbles():
            kind: Kind = "reasoning" if asked.thinking else "content"
            pieces = [Piece(kind, "!") for _ in range(asked.max_tokens)]
            pieces[-1].finish = "length"
            return pieces
        if asked.thinking:
            pieces.append(Piece("reasoning", "", hidden=True))
            pieces += [Piece("reasoning", t) for t in self.tokenizer.cut(thought(asked.question))]
            pieces.append(Piece("reasoning", "", hidden=True))
            pieces += [Piece("content", "\n\n")]
        text = asked.reply or answer(asked.question, asked.variant)
        if asked.continues:
            text = " " + text
        pieces += [Piece("content", piece) for piece in self.tokenizer.cut(text)]
        if asked.ignore_eos:
            while len(pieces) < asked.max_tokens:
                more = answer(asked.question, len(pieces))
                pieces += [Piece("content", piece) for piece in self.tokenizer.cut(" " + more)]
        else:
            pieces.append(Piece("content", "", finish="stop", hidden=True))
        if len(pieces) > asked.max_tokens:
            del pieces[asked.max_tokens :]
            pieces[-1].finish = "length"
        return _cut_at_stop(pieces, asked)


def _cut_at_stop(pieces: list[Piece], asked: Asked) -> list[Piece]:
    """End the answer before the first stop string, as vLLM does: the text holds it back."""
    text = "".join(piece.text for piece in pieces if piece.kind == "content")
    found = [(text.find(stop), stop) for stop in asked.stop if stop and stop in text]
    if not found:
        return pieces
    at, stop = min(found)
    end = at + len(stop) if asked.include_stop else at
    kept: list[Piece] = []
    length = consumed = 0
    for piece in pieces:
        if piece.kind == "reasoning":
            kept.append(piece)
            continue
        consumed += len(piece.text)
        shown = piece.text[: max(0, end - length)]
        length += len(piece.text)
        if shown:
            kept.append(Piece("content", shown, tokens=piece.tokens))
        elif kept:
            kept[-1].tokens += piece.tokens
        if consumed >= at + len(stop):
            break
    if not kept or kept[-1].kind == "reasoning":
        kept.append(Piece("content", "", hidden=True))
    kept[-1].finish, kept[-1].stop_reason = "stop", stop
    return kept
