"""A part of a Markdown file that is drawn from the code, between two marks of its own."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DrawnBlock:
    """What stands between ``begin`` and ``end``; ``source`` is what it is drawn from."""

    begin: str
    end: str
    source: str
    draw: Callable[[], str]

    def within(self, text: str) -> str:
        """Return a document with the current picture; raises ValueError without the marks."""
        before, mark, rest = text.partition(self.begin)
        _, end, after = rest.partition(self.end)
        if not mark or not end:
            raise ValueError("the document has no place for the diagram")
        return f"{before}{self.begin}\n{self.draw()}\n{self.end}{after}"

    def main(self, arguments: Sequence[str]) -> int:
        """Write ``FILE``, or with ``--check`` compare it; return the exit code."""
        check = "--check" in arguments
        (path,) = (Path(word) for word in arguments if not word.startswith("--"))
        text = path.read_text(encoding="utf-8")
        current = self.within(text)
        if check and current != text:
            sys.stderr.write(f"{path}: the {self.source} changed; run `make schemas`\n")
            return 1
        if not check:
            path.write_text(current, encoding="utf-8")
        return 0
