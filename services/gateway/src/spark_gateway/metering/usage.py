"""Reads the ``usage`` of an answer out of the bytes that pass, wherever it stands. Pure.

Only the places that name it are kept, and only the first and the last of them are parsed, once,
at the end. What a model writes cannot look like it: within a string the quotes are escaped.
"""

import json
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

_FIELD: Final = b'"usage"'
_OBJECT = re.compile(rb'"usage"\s*+:\s*+(?=\{)')
_FRAME = re.compile(rb"\r\n[0-9A-Fa-f]{1,8}\r\n")
"""Between two chunks of a body: the end of one and the size of the next."""
# As servers write it, in one go; whatever is written otherwise is parsed. Nothing is tried twice.
_NUMBER: Final = rb" ?+([0-9]{1,12}+)"
_TOTAL: Final = rb'"total_tokens": ?+[0-9]{1,12}+'
_PLAIN = re.compile(
    rb'"usage": ?+\{"prompt_tokens":'
    + _NUMBER
    + rb", ?+(?:"
    + _TOTAL
    + rb', ?+)?+"completion_tokens":'
    + _NUMBER
    + rb"(?:, ?+"
    + _TOTAL
    + rb')?+(?:, ?+"prompt_tokens_details": ?+(?:null|\{"cached_tokens":'
    + _NUMBER
    + rb"\}))?+\}"
)
_LONGEST: Final = 2048
"""Bytes kept of one place, with the framing in between."""
_EDGE: Final = 64
"""Bytes of a piece in which the name may begin and end in the next, framing included."""
_WHOLE_EVENTS: Final = (b"\n\r\n", b"\n\n")
_MOST_TOKENS: Final = 1 << 40
_DECODER: Final = json.JSONDecoder()


class Usage(NamedTuple):
    """Tokens of one request; None is not known."""

    prompt: int | None = None
    completion: int | None = None
    cached: int | None = None
    """Of the prompt: found in the cache."""

    @property
    def known(self) -> bool:
        """Whether anything was said."""
        return self.prompt is not None or self.completion is not None


NOTHING: Final = Usage()


class UsageField:
    """Follows one answer through any segmentation, in memory that does not grow with it."""

    __slots__ = ("_edge", "_first", "_last", "_open")

    def __init__(self) -> None:
        self._first = b""
        self._last = b""
        self._open = False
        """Whether the last place goes on in the next piece."""
        self._edge = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the answer: cut anywhere, in chunks or not.

        Not found is only a name that is cut by a chunk that ends within ``data``.
        """
        if self._open:
            self._last += data[: _LONGEST - len(self._last)]
            self._open = len(self._last) < _LONGEST
        if self._edge:
            window = _FRAME.sub(b"", self._edge + data[:_EDGE])
            position = window.find(_FIELD)
            if position >= 0:
                self._begin(window[position:] + data[_EDGE:_LONGEST])
                self._edge = b""
        position = data.rfind(_FIELD)
        if position >= 0:
            self._begin(data[position : position + _LONGEST])
            self._edge = data[position + len(_FIELD) :][-_EDGE:]
        elif data.endswith(_WHOLE_EVENTS):
            # Nothing of it goes on in the next piece.
            self._edge = b""
        else:
            self._edge = data[-_EDGE:] if len(data) >= _EDGE else (self._edge + data)[-_EDGE:]

    def read(self) -> Usage:
        """Return what the answer said; what the last place leaves out, the first one may say."""
        last = _read(self._last) if self._last else NOTHING
        if not self._first:
            return last
        first = _read(self._first)
        return Usage(
            prompt=first.prompt if last.prompt is None else last.prompt,
            completion=first.completion if last.completion is None else last.completion,
            cached=first.cached if last.cached is None else last.cached,
        )

    def _begin(self, place: bytes) -> None:
        if not self._first:
            self._first = self._last
        self._last = place
        self._open = len(place) < _LONGEST


def usage_in(answer: bytes) -> tuple[int | None, int | None, int | None]:
    """Return what an answer says that is there in one piece, in the order of ``Usage``."""
    position = answer.rfind(_FIELD)
    if position < 0:
        return NOTHING
    plain = _PLAIN.match(answer, position)
    if plain is None:
        return _read(answer[position : position + _LONGEST])
    prompt, completion, cached = plain.groups()
    # A mere tuple: asked for with nearly every request.
    return int(prompt), int(completion), None if cached is None else int(cached)


def _read(place: bytes) -> Usage:
    """Return the tokens that the object at a place names; nothing where it is none."""
    found = _OBJECT.match(place)
    if found is None:
        found = _OBJECT.match(place := _FRAME.sub(b"", place))
        if found is None:
            return NOTHING
    said = _object(place[found.end() :])
    if said is None:
        said = _object(_FRAME.sub(b"", place)[found.end() :])
    return _usage(said) if said is not None else NOTHING


def _object(text: bytes) -> Mapping[str, object] | None:
    try:
        said, _ = _DECODER.raw_decode(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _usage(said: Mapping[str, object]) -> Usage:
    """Both dialects: OpenAI's chat names tokens otherwise than its responses and Anthropic."""
    prompt, completion = said.get("prompt_tokens"), said.get("completion_tokens")
    details = said.get("prompt_tokens_details")
    if prompt is None:
        prompt, completion = said.get("input_tokens"), said.get("output_tokens")
        details = said.get("input_tokens_details")
    if isinstance(details, dict):
        cached = details.get("cached_tokens")
    else:
        cached = said.get("cache_read_input_tokens")
    return Usage(_count(prompt), _count(completion), _count(cached))


def _count(value: object) -> int | None:
    # Not isinstance: true is no number here.
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None
