"""Chunked transfer coding (RFC 9112 section 7.1), read strictly and incrementally."""

import re
from typing import Final

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[^\x00-\x08\x0a-\x1f\x7f]*+)?\r\n")
_TRAILER_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[^\x00-\x08\x0a-\x1f\x7f]*+\r\n")

_SIZE: Final = 0
_AFTER_CHUNK: Final = 1
_TRAILERS: Final = 2

_LONGEST_LINE: Final = (1024, 2, 8192)
_TRAILER_BYTES: Final = 16384


class FramingError(Exception):
    """The bytes are not a well-formed message; the message says which rule they break."""


class ChunkScanner:
    """Follows a chunked body through any segmentation.

    ``boundary`` is, after each feed, the index in the fed bytes just behind the last chunk that
    became complete, 0 if none did. With ``keep_payload`` the decoded pieces gather in ``payload``
    until the caller takes them.
    """

    __slots__ = ("_left", "_line", "_state", "_trailer_bytes", "boundary", "payload")

    def __init__(self, *, keep_payload: bool = False) -> None:
        self.boundary = 0
        self.payload: list[bytes] | None = [] if keep_payload else None
        self._left = 0
        self._line = b""
        self._state = _SIZE
        self._trailer_bytes = 0

    def feed(self, data: bytes) -> int:
        """Advance over ``data``; return the index just behind the body's end, or -1: it goes on.

        Raises FramingError; the scanner is of no use afterwards.
        """
        size = len(data)
        if self._between and self.payload is None:
            # One whole chunk, as most of what passes is: each event of a stream is one.
            found = _SIZE_LINE.match(data)
            if (
                found is not None
                and found.end() + int(found[1], 16) + 2 == size
                and data.endswith(b"\r\n")
                and size > found.end() + 2
                and found.end() <= _LONGEST_LINE[_SIZE]
            ):
                self.boundary = size
                return -1
        self.boundary = position = 0
        while position < size:
            if self._left:
                position = self._skip_payload(data, position, size)
                continue
            newline = data.find(b"\n", position)
            if newline < 0:
                self._keep_partial(data[position:])
                return -1
            line = data[position : newline + 1]
            position = newline + 1
            if self._line:
                line, self._line = self._line + line, b""
            if self._state == _SIZE:
                self._open_chunk(line)
            elif line == b"\r\n":
                if self._state == _TRAILERS:
                    return position
                self._state = _SIZE
                self.boundary = position
            else:
                self._check_trailer(line)
        return -1

    @property
    def _between(self) -> bool:
        """Whether a chunk begins with the next byte."""
        return not self._left and self._state == _SIZE and not self._line

    def _skip_payload(self, data: bytes, position: int, size: int) -> int:
        end = min(position + self._left, size)
        if self.payload is not None:
            self.payload.append(data[position:end])
        self._left -= end - position
        return end

    def _open_chunk(self, line: bytes) -> None:
        match = _SIZE_LINE.fullmatch(line)
        if match is None or len(line) > _LONGEST_LINE[_SIZE]:
            raise FramingError("invalid chunk size")
        self._left = int(match[1], 16)
        self._state = _AFTER_CHUNK if self._left else _TRAILERS

    def _check_trailer(self, line: bytes) -> None:
        if self._state != _TRAILERS:
            raise FramingError("chunk longer than its size")
        self._trailer_bytes += len(line)
        if self._trailer_bytes > _TRAILER_BYTES or _TRAILER_LINE.fullmatch(line) is None:
            raise FramingError("invalid trailer")

    def _keep_partial(self, rest: bytes) -> None:
        self._line += rest
        if len(self._line) > _LONGEST_LINE[self._state]:
            raise FramingError("chunk line too long")
        if self._state == _AFTER_CHUNK and self._line != b"\r":
            raise FramingError("chunk longer than its size")
