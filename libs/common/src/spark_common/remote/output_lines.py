"""The lines of a program's output that comes in pieces, fit to be shown."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_CREDENTIALS = re.compile(r"://[^/@\s]+@")
"""A remote's address may carry a password; git repeats it in its messages."""
_LINE_CHARACTERS = 2000
_KEPT = 200


@dataclass
class OutputLines:
    """Reads the output of one program, cut anywhere."""

    lines_seen: list[str] = field(default_factory=list)
    """The last lines, for the cause of a failure."""
    _rest: bytes = b""

    def feed(self, piece: bytes, *, last: bool = False) -> Iterator[str]:
        """Take bytes, return the lines that became complete; ``last`` completes the rest too."""
        *lines, self._rest = re.split(rb"[\r\n]+", self._rest + piece)
        if last:
            lines, self._rest = [*lines, self._rest], b""
        for raw in lines:
            text = _COLOUR.sub("", raw.decode("utf-8", "replace"))[:_LINE_CHARACTERS].rstrip()
            line = _CREDENTIALS.sub("://", text)
            if not line:
                continue
            self.lines_seen = [*self.lines_seen[-(_KEPT - 1) :], line]
            yield line
