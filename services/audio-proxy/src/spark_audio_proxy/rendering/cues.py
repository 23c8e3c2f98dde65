"""Words become the lines of a transcript: a sentence each, as long as one can read at a glance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spark_audio_proxy.merging.sentences import ends_sentence
from spark_audio_proxy.speech import Word
from spark_audio_proxy.words.joining import joined

LONGEST_SECONDS = 7.0
LONGEST_LETTERS = 84
"""Two lines of a subtitle."""
_PAUSE = 1.5
_CLAUSE_ENDS = (",", ";", ":")


@dataclass(frozen=True, slots=True)
class Cue:
    """One line with times in whole milliseconds; cues never overlap and are never empty."""

    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...]


def cues_of(words: Sequence[Word]) -> tuple[Cue, ...]:
    """Return every word in exactly one cue, in the given order."""
    groups = list(_groups(words))
    starts: list[int] = []
    for group in groups:
        earliest = starts[-1] + 1 if starts else 0
        starts.append(max(round(group[0].start * 1000), earliest))
    found: list[Cue] = []
    for index, group in enumerate(groups):
        end = max(round(max(word.end for word in group) * 1000), starts[index] + 1)
        if index + 1 < len(groups):
            end = min(end, starts[index + 1])
        text = joined(word.text for word in group)
        found.append(Cue(starts[index], end, text, tuple(group)))
    return tuple(found)


def _groups(words: Sequence[Word]) -> Iterator[list[Word]]:
    group: list[Word] = []
    for word in words:
        if group and word.start - group[-1].end > _PAUSE:
            yield group
            group = []
        while group and _too_long([*group, word]):
            cut = _cut(group)
            yield group[:cut]
            group = group[cut:]
        group.append(word)
        if ends_sentence(word.text):
            yield group
            group = []
    if group:
        yield group


def _too_long(group: Sequence[Word]) -> bool:
    letters = sum(len(word.text) + 1 for word in group) - 1
    return letters > LONGEST_LETTERS or group[-1].end - group[0].start > LONGEST_SECONDS


def _cut(group: Sequence[Word]) -> int:
    """Return how many words to keep: up to the last clause of the second half, else all."""
    for index in range(len(group) - 1, len(group) // 2 - 1, -1):
        if group[index].text.endswith(_CLAUSE_ENDS):
            return index + 1
    return len(group)
