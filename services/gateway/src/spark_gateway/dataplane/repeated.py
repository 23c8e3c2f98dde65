"""Heads that come again: most peers write the same one each time, but for the length they tell."""

import re
from typing import Final, Generic, TypeVar

Read = TypeVar("Read")

_LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength:[ \t]*+([0-9]{1,18})(?=\r\n)")
_NUMBER = re.compile(rb"[0-9]{1,18}+(?=\r\n)")
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
        found = _LENGTH.search(head)
        self._length = NO_LENGTH if found is None else int(found[1])
        self._before = b"" if found is None else head[: found.start(1)]
        self._after = b"" if found is None else head[found.end(1) :]

    def find(self, data: bytes) -> tuple[int, int] | None:
        """Return where this head ends at the start of ``data``, and the length that it tells there.

        ``NO_LENGTH`` where that is not told in the usual way: then it is what it was. None when
        another head stands there, or only a part of this one.
        """
        if data.startswith(self._head):
            return len(self._head), self._length
        if not self._before or not data.startswith(self._before):
            return None
        number = _NUMBER.match(data, len(self._before))
        if number is None or not data.startswith(self._after, number.end()):
            return None
        return number.end() + len(self._after), int(number[0])
