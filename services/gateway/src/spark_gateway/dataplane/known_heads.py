"""Heads that some client wrote before: most connections begin with one of them."""

from typing import Final

from spark_gateway.dataplane.heads import RequestHead, parse_request
from spark_gateway.dataplane.repeated import Repeated, split

_MOST: Final = 256
_LONGEST: Final = 4096
"""Bytes; what is longer is read anew on every connection."""


class KnownHeads:
    """Reads request heads, and knows those read last again by their bytes.

    Shared by all connections: what a head was read as depends on nothing else.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes], Repeated[RequestHead]] = {}
        """By what surrounds the length, the one used last at the end."""
        self.last: Repeated[RequestHead] | None = None
        """The one that came last on a connection that had none like it before."""

    def __len__(self) -> int:
        return len(self._known)

    def read(self, text: bytes) -> tuple[Repeated[RequestHead], int]:
        """Read everything up to and including an empty line; return also the length it tells.

        That is ``NO_LENGTH`` where it is what ``read`` of the other says. Raises HeadError.
        """
        before, length, after = split(text)
        shape = before, after
        known = self._known.pop(shape, None)
        if known is None:
            known = Repeated(text, parse_request(text))
            if len(text) > _LONGEST:
                return known, length
            if len(self._known) >= _MOST:
                del self._known[next(iter(self._known))]
        self._known[shape] = self.last = known
        return known, length
