"""Finds which model a JSON body names while the body passes, without keeping or parsing it."""

import json
import re
from functools import lru_cache
from typing import Final

_BOM: Final = b"\xef\xbb\xbf"
_BLANK = re.compile(rb"[ \t\r\n]*+")
_STRING_REST = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
# Below the top level only brackets count, and strings, which may contain some.
_NESTED = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_SCALAR = re.compile(rb'[^",:{}\[\] \t\r\n]*+')


def _nested(levels: int) -> bytes:
    """Pattern of a whole value in brackets, with so many levels of others in it at most."""
    inner = rb'[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+"'
    if levels:
        inner += b"|" + _nested(levels - 1)
    return rb"[{\[](?:" + inner + rb")*+[}\]]"


# Whole pairs in one go, where they are as most are: the key is plain and another, nothing is cut.
_OTHER_PAIRS = re.compile(
    rb'(?:[ \t\r\n]*+"(?!model")[^"\\]*+"[ \t\r\n]*+:[ \t\r\n]*+'
    rb'(?:"(?:[^"\\]++|\\.)*+"|[^",:{}\[\] \t\r\n]++|' + _nested(3) + rb")"
    rb"[ \t\r\n]*+(?:,|(?=\})))*+",
    re.DOTALL,
)
_MODEL_PAIR = re.compile(
    rb'[ \t\r\n]*+"model"[ \t\r\n]*+:[ \t\r\n]*+"([^"\\\x00-\x1f]{0,4096}+)"'
    rb"[ \t\r\n]*+(?:,|(?=\}))"
)

# Most name it first; where nothing behind can be called like that, the rest need not be read.
_NAMED_FIRST = re.compile(rb"[ \t\r\n]*+\{" + _MODEL_PAIR.pattern)
_KEY_LETTER: Final = b"\\u006"
"""How every letter of the key begins that is written as an escape."""

# A whole body in one go, where it is as most are: then nothing else in it is called like that.
_WHOLE = re.compile(
    rb"[ \t\r\n]*+\{"
    + _OTHER_PAIRS.pattern
    + _MODEL_PAIR.pattern
    + _OTHER_PAIRS.pattern
    + rb"[ \t\r\n]*+\}[ \t\r\n]*+",
    re.DOTALL,
)

_LONGEST_KEY: Final = len(b"model") * len(b"\\u006d")
_LONGEST_NAME: Final = 4096
"""Bytes as they stand in the body; what is longer is cut, and nothing is called like that."""

_START: Final = 0
_KEY: Final = 1
_VALUE: Final = 2
_NESTED_VALUE: Final = 3
_OVER: Final = 4


def named_in(body: bytes) -> tuple[str, tuple[int, int]] | None:
    """Return the model that a whole body names, and where; None where that takes more than a look.

    See ``ModelField``, which finds the same.
    """
    found = _NAMED_FIRST.match(body)
    if (
        found is None
        or body.count(b'"model"') > 1
        or _KEY_LETTER in body
        or not body.endswith(b"}")
    ):
        found = _WHOLE.fullmatch(body)
    if found is None:
        return None
    name = _text(found[1])
    return None if name is None else (name, found.span(1))


class ModelField:
    """Follows one body through any segmentation, in memory that does not grow with it.

    Once the body is over, ``named`` is what ``json.loads(body).get("model")`` would be: the last of
    several counts, and what is no string is None. It means nothing where the body is no JSON.
    """

    __slots__ = (
        "_bom",
        "_depth",
        "_escaped",
        "_in_string",
        "_is_model",
        "_kept",
        "_limit",
        "_named",
        "_passed",
        "_state",
        "span",
    )

    def __init__(self) -> None:
        self._named: str | None = None
        self._state = _START
        self._bom = 0
        self._depth = 0
        self._is_model = False
        self._in_string = False
        self._escaped = False
        """The last byte was a backslash whose companion has not come yet."""
        self._kept: bytearray | None = None
        """Of the string under way, where it matters: a key, or the value of ``model``."""
        self._limit = 0
        self._passed = 0
        """Bytes fed before those at hand."""
        self.span = (0, 0)
        """Where in the body the name stands, without its quotes; (0, 0) when nothing is named."""

    @property
    def so_far(self) -> str | None:
        """The model that the object has named up to here."""
        return self._named

    @property
    def over(self) -> bool:
        """Whether nothing that follows belongs to the object."""
        return self._state == _OVER

    @property
    def named(self) -> str | None:
        """The model that the object names, once it is whole."""
        return self._named if self._state == _OVER else None

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body, cut anywhere."""
        position, size = 0, len(data)
        while position < size and self._state != _OVER:
            if self._in_string:
                position = self._go_on_in_string(data, position)
            elif self._state == _NESTED_VALUE:
                position = self._skip_nested(data, position)
            else:
                if self._state == _KEY:
                    position = self._take_pairs(data, position)
                position = self._read_top(data, position)
        self._passed += size

    def _take_pairs(self, data: bytes, position: int) -> int:
        """Take the plain pairs that are whole; what follows is read thing by thing."""
        position = _end(_OTHER_PAIRS, data, position)
        found = _MODEL_PAIR.match(data, position)
        if found is None:
            return position
        start, end = found.span(1)
        self._named = _text(data[start:end])
        self.span = (self._passed + start, self._passed + end)
        return _end(_OTHER_PAIRS, data, found.end())

    def _read_top(self, data: bytes, position: int) -> int:
        """Read one thing of the outermost object; return where to go on."""
        position = _end(_BLANK, data, position)
        letter = data[position : position + 1]
        if self._state == _START:
            self._begin(letter)
        elif letter == b'"':
            self._begin_string(self._passed + position + 1)
        elif letter == b":":
            self._state = _VALUE
        elif letter == b",":
            self._state = _KEY
        elif letter in {b"}", b"]"}:
            self._state = _OVER
        elif letter:
            self._forget_name()
            if letter in {b"{", b"["}:
                self._state, self._depth = _NESTED_VALUE, 1
            else:
                return max(position + 1, _end(_SCALAR, data, position))
        return position + 1

    def _begin(self, letter: bytes) -> None:
        if letter == b"{":
            self._state = _KEY
        elif letter and letter == _BOM[self._bom : self._bom + 1]:
            self._bom += 1
        elif letter:
            self._state = _OVER

    def _begin_string(self, start: int) -> None:
        self._in_string = True
        if self._state == _KEY:
            self._kept, self._limit = bytearray(), _LONGEST_KEY
        elif self._is_model:
            self._kept, self._limit = bytearray(), _LONGEST_NAME
            self.span = (start, 0)

    def _go_on_in_string(self, data: bytes, position: int) -> int:
        start = position
        if self._escaped:
            self._escaped = False
            position += 1
        end = _end(_STRING_REST, data, position)
        self._keep(data[start : min(end, start + self._limit + 1)])
        letter = data[end : end + 1]
        if letter == b'"':
            self._end_string(self._passed + end)
        elif letter:
            # A backslash at the very end: what it stands before comes with the next bytes.
            self._escaped = True
            self._keep(letter)
        return end + 1

    def _keep(self, piece: bytes) -> None:
        if self._kept is not None and len(self._kept) <= self._limit:
            self._kept += piece

    def _end_string(self, end: int) -> None:
        self._in_string = False
        kept, self._kept = self._kept, None
        if kept is None:
            return
        if self._state == _KEY:
            self._is_model = kept == b"model" or (
                b"\\" in kept and len(kept) <= _LONGEST_KEY and _text(bytes(kept)) == "model"
            )
            return
        self.span = (self.span[0], end)
        if len(kept) > _LONGEST_NAME:
            self._named = kept.decode("utf-8", "replace")
        else:
            self._named = _text(bytes(kept))

    def _skip_nested(self, data: bytes, position: int) -> int:
        position = _end(_NESTED, data, position)
        letter = data[position : position + 1]
        if letter == b'"':
            # A whole one would have been skipped: this one goes on in the next bytes.
            self._in_string = True
        elif letter in {b"{", b"["}:
            self._depth += 1
        elif letter:
            self._depth -= 1
            if self._depth == 0:
                self._state, self._is_model = _VALUE, False
        return position + 1

    def _forget_name(self) -> None:
        if self._state == _VALUE and self._is_model:
            self._named = None
            self.span = (0, 0)


def _end(pattern: re.Pattern[bytes], data: bytes, position: int) -> int:
    found = pattern.match(data, position)
    return found.end() if found is not None else position


@lru_cache(256)
def _text(raw: bytes) -> str | None:
    """Return the text of a string as it stands between its quotes; None when it is none."""
    try:
        if b"\\" not in raw and raw.isascii() and (text := raw.decode()).isprintable():
            return text
        text = json.loads(f'"{raw.decode()}"')
    except ValueError:
        return None
    return text if isinstance(text, str) else None
