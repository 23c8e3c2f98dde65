"""A text whose letters were put apart one by one, put together again."""

from typing import Final

from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.readings.reading import Reading
from spark_redaction.scrub.view import View

_SEPARATORS: Final = (b" ", rb"\.", b"-", b"_", b", ?", rb" ?\| ?", b"/", rb"\*", b" - ", b"\n")
_RUN: Final = Pattern(
    rb"|".join(rb"[^\s\x00](?:" + each + rb"[^\n\t\x00]){7,}" for each in _SEPARATORS)
)
_ENOUGH: Final = 6
_FIRST: Final = (" | ", " - ", ", ", "| ", " |")


def put_together(view: View) -> Reading | None:
    """Return the reading, None when nothing is spaced out.

    Digits alone stay as they are: rows of figures look like that, and the recognisers of numbers
    read over single spaces anyway.
    """
    characters: list[str] = []
    places: list[int] = []
    changes = []
    after = 0
    for match in _RUN.matches(view):
        start, end = match.span()
        letters = _letters(view.text, start, end)
        if not letters:
            continue
        said = [view.text[at] for at in letters]
        start, end = letters[0], letters[-1] + 1
        if sum(map(str.isalnum, said)) < _ENOUGH or "".join(said).isdigit():
            continue
        characters.append(view.text[after:start])
        places += range(after, start)
        characters += said
        places += letters
        changes.append(view.raw(start, end))
        after = end
    if not changes:
        return None
    characters.append(view.text[after:])
    places += range(after, len(view.text))
    raws = [view.raw(at, at + 1) for at in places]
    joined = View("".join(characters), [raw[0] for raw in raws], [raw[1] for raw in raws])
    return Reading(joined, tuple(changes))


def _letters(text: str, start: int, end: int) -> list[int]:
    """The places of the characters that are no separators, without halves of words beside them."""
    width = next((len(each) for each in _FIRST if text.startswith(each, start + 1)), 1)
    letters = list(range(start, end, width + 1))
    if start and text[start].isalnum() and text[start - 1].isalnum():
        letters = letters[1:]
    while (
        letters
        and text[letters[-1]].isalnum()
        and text[letters[-1] + 1 : letters[-1] + 2].isalnum()
    ):
        letters = letters[:-1]
    while letters and not _may_begin(text[letters[0]]):
        letters = letters[1:]
    while letters and not text[letters[-1]].isalnum():
        letters = letters[:-1]
    return letters


def _may_begin(character: str) -> bool:
    return character.isalnum() or character in "+("
