"""Tells thinking from answering in what a model streams, however its server spells it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

_OPEN, _CLOSE = "<think>", "</think>"
_LINE_CLOSE = re.compile(r"(?:\A|\n)[ \t]*</think>")


@dataclass(frozen=True)
class Said:
    """A piece of what the model says."""

    kind: Literal["reasoning", "text"]
    text: str
    replaces: bool = False
    """Whether all text before this piece turned out to be thinking."""


class Thinking:
    """Splits the deltas of one streamed chat.

    Servers with a reasoning parser send ``reasoning``, older ones ``reasoning_content``. Without
    a parser the thinking stands in the content between tags, which may be cut anywhere, and the
    opening tag may be missing because the chat template wrote it.
    """

    def __init__(self) -> None:
        self._state: Literal["start", "inside", "after"] = "start"
        self._held = ""
        self._shown = ""
        self._told_apart = False
        """Whether a parser or an opening tag made the kind of everything certain."""

    def feed(self, delta: Mapping[str, object]) -> Iterator[Said]:
        """Take one delta, return what became certain."""
        thought = delta.get("reasoning") or delta.get("reasoning_content")
        if isinstance(thought, str) and thought:
            self._told_apart = True
            yield Said("reasoning", thought)
        content = delta.get("content")
        if isinstance(content, str) and content:
            yield from self._content(content)

    def end(self) -> Iterator[Said]:
        """Return what was held back in case a tag was coming."""
        held, self._held = self._held, ""
        if held:
            yield Said("reasoning" if self._state == "inside" else "text", held)

    def _content(self, piece: str) -> Iterator[Said]:
        text, self._held = self._held + piece, ""
        if self._state == "start":
            bare = text.lstrip()
            if not bare or _OPEN.startswith(bare):
                self._held = text
                return
            self._state = "after"
            if bare.startswith(_OPEN) and not self._told_apart:
                self._state, self._told_apart = "inside", True
                text = bare.removeprefix(_OPEN).lstrip("\n")
        if self._state == "inside":
            yield from self._inside(text)
        else:
            yield from self._after(text)

    def _inside(self, text: str) -> Iterator[Said]:
        thought, closed, rest = text.partition(_CLOSE)
        if not closed:
            keep = _tail(text)
            thought, self._held = text[: len(text) - keep], text[len(text) - keep :]
        if thought:
            yield Said("reasoning", thought)
        if closed:
            self._state = "after"
            yield from self._after(rest.lstrip())

    def _after(self, text: str) -> Iterator[Said]:
        if not self._told_apart:
            whole = self._shown + text
            if closed := _LINE_CLOSE.search(whole, max(0, len(self._shown) - len(_CLOSE) - 2)):
                self._told_apart = True
                rest_of_thought = whole[len(self._shown) : closed.start()]
                if rest_of_thought:
                    yield Said("reasoning", rest_of_thought)
                yield Said("text", whole[closed.end() :].lstrip(), replaces=True)
                return
            keep = _tail(text)
            text, self._held = text[: len(text) - keep], text[len(text) - keep :]
            self._shown = (self._shown + text)[-64:]
        if text:
            yield Said("text", text)


def _tail(text: str) -> int:
    """Return how many characters at the end may be the beginning of a closing tag."""
    for size in range(min(len(text), len(_CLOSE) - 1), 0, -1):
        if _CLOSE.startswith(text[-size:]):
            return size
    return 0
