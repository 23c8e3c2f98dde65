"""The examples of Markdown pages: where they stand, and the commands that are in them."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

_FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_REASON = re.compile(r"(?:<!-- not run: (.+?) -->|^Not runnable here: (.+))\s*\Z", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """One fenced block of a page."""

    page: str
    line: int
    language: str
    words: tuple[str, ...]
    """What follows the language, as ``run``."""
    text: str
    reason: str | None
    """Why nobody runs it, from the line above it."""

    @property
    def place(self) -> str:
        """Return where it stands, for a message."""
        return f"{self.page}:{self.line}"


def examples(root: Path, page: str) -> list[Example]:
    """Return the fenced blocks of a page whose path is below ``root``, in their order."""
    text = (root / page).read_text(encoding="utf-8")
    return [
        Example(
            page=page,
            line=text.count("\n", 0, found.start()) + 1,
            language=found[1],
            words=tuple(found[2].split()),
            text=found[3],
            reason=_reason_before(text[: found.start()]),
        )
        for found in _FENCE.finditer(text)
    ]


def _reason_before(text: str) -> str | None:
    found = _REASON.search(text.rstrip())
    return None if found is None else found[1] or found[2]


def commands(script: str) -> Iterator[list[str]]:
    """Yield the words of every command of a script without loops, comments left out.

    Raises ValueError at a quotation that nobody closes.
    """
    kept = ""
    for line in script.splitlines():
        kept += line.removesuffix("\\") + ("" if line.endswith("\\") else "\n")
        if line.endswith("\\"):
            continue
        try:
            words = shlex.split(kept, comments=True)
        except ValueError:
            continue
        kept = ""
        if words:
            yield words
    if kept.strip():
        raise ValueError(f"a quotation is not closed: {kept}")


def shown_answer(root: Path, page: str) -> JsonValue:
    """Return the answer that a page shows in its block ``json real``.

    Raises ValueError when there is not just one.
    """
    (one,) = (found for found in examples(root, page) if found.words == ("real",))
    answer: JsonValue = json.loads(one.text)
    return answer


def unlike(shown: JsonValue, real: JsonValue, place: str = "the answer") -> list[str]:
    """Say what is shown of an answer that the real one has not, or has as something else.

    What is left out is no fault, and null stands for anything. Of a list every row shown is
    compared with the first real one.
    """
    match shown, real:
        case (None, _) | (_, None):
            return []
        case dict(), dict():
            absent = [f"{place} has no {key}" for key in shown if key not in real]
            both = [key for key in shown if key in real]
            return absent + [
                told for key in both for told in unlike(shown[key], real[key], f"{place}.{key}")
            ]
        case list(), list():
            if shown and not real:
                return [f"{place} has no rows"]
            return [told for row in shown for told in unlike(row, real[0], f"{place}[]")]
        case bool(), bool():
            return []
        case (bool(), _) | (_, bool()):
            return [f"{place} is {real!r}"]
        case (int() | float(), int() | float()) | (str(), str()):
            return []
        case _:
            return [f"{place} is {real!r}"]
