"""Heads that come again: most peers write the same one each time, but for the length they tell."""

import re
from typing import Final, Generic, TypeVar

Read = TypeVar("Read")

_LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength:[ \t]*+([0-9]{1,18})(?=\r\n)")
_DIGITS: Final = 18
"""At most; a length of more is none."""
NO_LENGTH: Final = -1


class Repeated(Generic[Read]):
    """A head that was read, to be known again by its bytes: all but the length must be the same."""

    __slots__ = ("_after", "_before", "_head", "_length", "read")

    def __init__(self, head: bytes, read: Read) -> None:
        """``head``: everything up to and including its empty line; ``read``: what it was read as.

        That must depend on nothing but these bytes.
        """
        self.read = read
        """What the head says, and the length of the body that it tells may differ."""
        self._head = head
        self._before, self._length, self._after = split(head)

    def find(self, data: bytes) -> tuple[int, int] | None:
        """Return where this head ends at the start of ``data``, and the length that it tells there.

        ``NO_LENGTH`` where that is not told in the usual way: then it is what it was. None when
        another head stands there, or only a part of this one.
        """
        if data.startswith(self._head):
            return len(self._head), self._length
        if not self._before or not data.startswith(self._before):
            return None
        start = len(self._before)
        end = data.find(b"\r", start, start + _DIGITS + 1)
        number = data[start:end] if end > start else b""
        if not number.isdigit() or not data.startswith(self._after, end):
            return None
        return end + len(self._after), int(number)


def split(head: bytes) -> tuple[bytes, int, bytes]:
    """Return what stands before the length of the body, that length, and what stands behind it.

    Nothing, ``NO_LENGTH`` and all of it where the length is not told in the usual way.
    """
    found = _LENGTH.search(head)
    if found is None:
        return b"", NO_LENGTH, head
    start, end = found.span(1)
    return head[:start], int(found[1]), head[end:]
