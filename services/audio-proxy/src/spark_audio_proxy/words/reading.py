"""Words out of whatever shape a speech server answers in; never a transcript that lost its words.

Four shapes are known: words with times, segments that are words, segments of several words (times
in between are estimated and flagged), and text without any times, which is an error.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal

from spark_audio_proxy.speech import LATEST_SECONDS, Transcript, Word
from spark_audio_proxy.words.joining import tidied
from spark_audio_proxy.words.languages import language_code

TIMES_ESTIMATED = "times_estimated"
_MISSING = 0.02
"""Share of the words that a list with exact times may lack before one with estimates is better."""
_SLIP = 1.0
"""Seconds by which a word may start before the one in front of it and still keep its place."""


class UnusableAnswerError(Exception):
    """The upstream said yes and gave nothing that can be used; the message quotes nothing of it."""

    def __init__(
        self, code: Literal["upstream_bad_response", "empty_timestamps"], message: str
    ) -> None:
        super().__init__(message)
        self.code = code


def read_answer(answer: object, duration: float) -> Transcript:
    """Return the transcript in a parsed JSON answer about ``duration`` seconds of audio.

    Raises UnusableAnswerError: ``upstream_bad_response`` when it is no transcript at all,
    ``empty_timestamps`` when it has text but no usable time for any of it.
    """
    if isinstance(answer, str):
        answer = {"text": answer}
    if not isinstance(answer, Mapping) or not {"text", "words", "segments"} & answer.keys():
        raise UnusableAnswerError(
            "upstream_bad_response", "the speech server answered something that is no transcript"
        )
    segments = _items(answer.get("segments"))
    nested = [word for segment in segments for word in _items(segment.get("words"))]
    best: list[Word] = []
    lists = (_items(answer.get("words")), nested, segments)
    for items in lists:
        found = _timed(items, duration)
        if _spoken(best) < (1 - _MISSING) * _spoken(found):
            best = found
    text = answer.get("text")
    said = isinstance(text, str) and tidied(text)
    if not best and (said or any(_text(item) for items in lists for item in items)):
        raise UnusableAnswerError(
            "empty_timestamps", "the speech server answered text without the times of its words"
        )
    return Transcript(
        words=tuple(best),
        duration=duration,
        language=language_code(answer.get("language")),
        warnings=(TIMES_ESTIMATED,) if any(word.estimated for word in best) else (),
    )


def _spoken(words: Sequence[Word]) -> int:
    return sum(any(letter.isalnum() for letter in word.text) for word in words) or len(words)


def _items(value: object) -> list[Mapping[str, object]]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def _timed(items: Sequence[Mapping[str, object]], duration: float) -> list[Word]:
    """Return the words of items with a text and times; none when the times say nothing."""
    spans = [
        (_text(item), _seconds(item, "start"), _seconds(item, "end"))
        for item in items
        if _text(item)
    ]
    known = [(start, end) for _, start, end in spans if start is not None or end is not None]
    still = len({time for span in known for time in span}) < 2
    if not known or (still and len(spans) > 1):
        return []
    return _in_order([word for span in _filled(spans, duration) for word in _spread(*span)])


def _filled(
    spans: Sequence[tuple[str, float | None, float | None]], duration: float
) -> Iterator[tuple[str, float, float, bool]]:
    """Yield each text with times; missing ones reach from the time before to the time after."""
    upcoming: list[float] = []
    ahead = max([duration, *(time for _, *pair in spans for time in pair if time is not None)])
    for _, start, end in reversed(spans):
        upcoming.append(ahead)
        ahead = start if start is not None else end if end is not None else ahead
    reached = 0.0
    for text, start, end in spans:
        following = upcoming.pop()
        begin = reached if start is None else start
        until = max(begin, following if end is None else end)
        if start is None and end is None:
            until = begin
        yield text, begin, until, start is None or end is None
        reached = until


def _spread(text: str, start: float, end: float, estimated: bool) -> Iterator[Word]:
    """Yield one word for each of the text, in time by their share of its letters."""
    parts = text.split()
    if len(parts) == 1:
        yield Word(text, start, end, estimated=estimated)
        return
    letters = sum(map(len, parts))
    length = max(end - start, 0.0)
    before = 0
    for part in parts:
        begin = start + length * before / letters
        before += len(part)
        yield Word(part, begin, start + length * before / letters, estimated=True)


def _in_order(words: list[Word]) -> list[Word]:
    """Return the words with starts that never fall; small slips are mended, a mess is sorted."""
    if all(before.start <= after.start for before, after in pairwise(words)):
        return words
    mended: list[Word] = []
    reached = 0.0
    for word in words:
        if word.start < reached - _SLIP:
            return sorted(words, key=lambda each: (each.start, each.end))
        reached = max(reached, word.start)
        mended.append(replace(word, start=reached, end=max(word.end, reached)))
    return mended


def _text(item: Mapping[str, object]) -> str:
    for key in ("word", "text"):
        value = item.get(key)
        if isinstance(value, str):
            return tidied(value)
    return ""


def _seconds(item: Mapping[str, object], edge: str) -> float | None:
    for key, unit in ((edge, 1.0), (f"{edge}_s", 1.0), (f"{edge}_time", 1.0), (f"{edge}_ms", 1e3)):
        value = item.get(key)
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                continue
        if not isinstance(value, int | float) or isinstance(value, bool):
            continue
        # Compared before it is divided: JSON knows integers that are no floats.
        if abs(value) <= LATEST_SECONDS * unit:
            return max(value / unit, 0.0)
    return None
