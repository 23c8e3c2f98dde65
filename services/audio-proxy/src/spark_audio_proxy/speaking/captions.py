"""Kokoro's captions: sound in lines of JSON, each with the words that are spoken in it.

They tell what no stream of sound can: whether anything was left out. Words whose times fail are
dropped by Kokoro from the captions and not from the sound, so captions count only where they leave
no hole in time.
"""

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from spark_audio_proxy.problems import SpeechError

LONGEST_LINE: Final = 64 * 1024 * 1024
_HOLE_SECONDS: Final = 1.5
_FEWEST_WORDS: Final = 4
_MOST_MISSED: Final = 0.2
"""Share of the words that may be told in other words: numbers, units and short forms are."""
_LOOK_AHEAD: Final = 80
"""Letters within which the next word is looked for."""
_NONSENSE: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What reading anything but a line may raise."""
_PLAIN = re.compile(r"[^\W\d_]{3,}(?=[\s,;:.!?\"'’)]|$)")  # noqa: RUF001 - people type it


@dataclass(frozen=True, slots=True)
class Caption:
    """A word; times in seconds from the beginning of its piece."""

    word: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the answer."""

    samples: bytes
    captions: tuple[Caption, ...]


class Lines:
    """Cuts a stream of bytes into lines."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def of(self, data: bytes) -> list[Line]:
        """Return the lines that are whole now; raises SpeechError for what is none."""
        self._rest += data
        if len(self._rest) > LONGEST_LINE:
            raise _broken()
        *whole, rest = bytes(self._rest).split(b"\n")
        self._rest = bytearray(rest)
        return [_line(each) for each in whole if each.strip()]

    def last(self) -> list[Line]:
        """Return what stands behind the last end of a line; raises SpeechError for half a line."""
        rest, self._rest = bytes(self._rest), bytearray()
        return [_line(rest)] if rest.strip() else []


def left_out(text: str, captions: Sequence[Caption], seconds: float) -> bool:
    """Whether the captions prove that part of the text was not spoken."""
    wanted = [found[0].casefold() for found in _PLAIN.finditer(text)]
    if len(wanted) < _FEWEST_WORDS or not captions or _has_hole(captions, seconds):
        return False
    told = "".join(each for caption in captions for each in caption.word if each.isalnum())
    told = told.casefold()
    at, missed = 0, []
    for word in wanted:
        found = told.find(word, at, at + _LOOK_AHEAD + len(word))
        missed.append(found < 0)
        if found >= 0:
            at = found + len(word)
    return sum(missed) > _MOST_MISSED * len(wanted) or all(missed[-2:])


def _has_hole(captions: Sequence[Caption], seconds: float) -> bool:
    at = 0.0
    for caption in captions:
        if caption.start - at > _HOLE_SECONDS:
            return True
        at = max(at, caption.end)
    return seconds - at > _HOLE_SECONDS


def _line(text: bytes) -> Line:
    try:
        row = json.loads(text)
        samples = base64.b64decode(row["audio"], validate=True)
        rows = row.get("timestamps") or ()
        captions = tuple(
            Caption(str(each["word"]), float(each["start_time"]), float(each["end_time"]))
            for each in rows
        )
    except _NONSENSE as bad:
        raise _broken() from bad
    return Line(samples, captions)


def _broken() -> SpeechError:
    return SpeechError(
        "upstream_bad_response", "the voice server broke off in the middle of its answer"
    )
