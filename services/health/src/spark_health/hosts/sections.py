"""Takes the answer of ``look.sh`` apart; what was cut off is as if it had not been said."""

from collections.abc import Mapping
from dataclasses import dataclass

CUT_BYTES = 60_000
"""A section of this size was cut by the script; its last line may be half a line."""


@dataclass(frozen=True)
class Section:
    """What one command printed, and how it ended."""

    code: int | None
    """None: there was no time for it."""
    text: str

    @property
    def ok(self) -> bool:
        """Whether it ended well."""
        return self.code == 0

    @property
    def hung(self) -> bool:
        """Whether it had all of its time and did not end."""
        return self.code in {124, 137}

    @property
    def silent(self) -> bool:
        """Whether it was cut off by its time limit, or had no time at all."""
        return self.code is None or self.hung

    @property
    def lines(self) -> list[str]:
        """Its lines without blank ones."""
        return [line for line in self.text.split("\n") if line.strip()]


def split(text: str, mark: str) -> Mapping[str, Section]:
    """Return the sections by name.

    A section counts when another mark follows it: everything before a mark came in full. Text
    before the first mark is somebody's banner. Of two of one name the first counts.
    """
    found: dict[str, Section] = {}
    name, code, body = "", None, list[str]()
    for line in text.split("\n")[:-1]:
        words = line.split(" ")
        if words[0] != mark or len(words) != 3:
            body.append(line)
            continue
        if name and name not in found:
            found[name] = Section(code, _whole_lines(body))
        name, code, body = words[1], _code(words[2]), []
    if name == "end":
        found["end"] = Section(0, "")
    return found


def _whole_lines(body: list[str]) -> str:
    text = "\n".join(body)
    if len(text.encode(errors="replace")) >= CUT_BYTES:
        text = text.rstrip("\n").rpartition("\n")[0]
    return text


def _code(word: str) -> int | None:
    return int(word) if word.isascii() and word.isdigit() and len(word) <= 3 else None
