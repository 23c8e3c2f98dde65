"""The words of neighbouring chunks become one line: what both heard is said once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from spark_audio_proxy.speech import FRAME_SECONDS, Word
from spark_audio_proxy.words.joining import letters_of

_AGREE_SECONDS = 0.3
"""Times of one word in two chunks differ by less."""
_GUESSED_SECONDS = 1.5
"""Or by less than this, where the upstream gave times of whole segments only."""
_SAME_WORD_SECONDS = 3 * FRAME_SECONDS


@dataclass(frozen=True, slots=True)
class HeardChunk:
    """What was heard from ``start`` to ``end``; times of the words count from ``start``."""

    start: float
    end: float
    words: tuple[Word, ...]


def stitch_words(chunks: Sequence[HeardChunk]) -> tuple[Word, ...]:
    """Return the words of chunks in order of time, with times of the whole recording.

    Chunks that are missing leave a gap and nothing else.
    """
    line: list[Word] = []
    heard_until = 0.0
    for chunk in sorted(chunks, key=lambda chunk: chunk.start):
        words = [_moved(word, chunk.start) for word in chunk.words]
        if line and chunk.start < heard_until:
            line = _joined(line, words, chunk.start, heard_until)
        else:
            line += words
        heard_until = max(heard_until, chunk.end)
    return tuple(line)


def _joined(before: list[Word], after: list[Word], start: float, end: float) -> list[Word]:
    """Cut both lines at one word that both heard within the overlap, else at its middle."""
    old = [i for i, word in enumerate(before) if word.end > start - _tolerance(word)]
    new = [i for i, word in enumerate(after) if word.start < end + _tolerance(word)]
    middle = (start + end) / 2
    run = _common_run(before, after, old, new, middle)
    if run:
        last, same = run[len(run) // 2]
        return before[: last + 1] + after[same + 1 :]
    kept = [word for word in before if _middle(word) < middle]
    reached = kept[-1].end if kept else start
    further = [word for word in after if _middle(word) >= min(reached, middle)]
    return kept + [word for word in further if not _repeats(word, kept)]


def _common_run(
    before: Sequence[Word],
    after: Sequence[Word],
    old: Sequence[int],
    new: Sequence[int],
    middle: float,
) -> list[tuple[int, int]]:
    """Return the run of equal words with the most and closest agreement, as pairs of places.

    Closeness counts, or a word that is said five times in a row would match one too early.
    """
    best: tuple[float, float] = (0.0, 0.0)
    found: list[tuple[int, int]] = []
    scores: dict[tuple[int, int], tuple[float, int]] = {}
    for i in old:
        for j in new:
            tolerance = max(_tolerance(before[i]), _tolerance(after[j]))
            apart = abs(before[i].start - after[j].start) / tolerance
            if apart > 1.0 or letters_of(before[i].text) != letters_of(after[j].text):
                continue
            score, length = scores.get((i - 1, j - 1), (0.0, 0))
            scores[i, j] = score + 1.001 - apart, length + 1
            rank = (scores[i, j][0], -abs(before[i].start - middle))
            if rank > best:
                best = rank
                found = [(i - back, j - back) for back in range(length, -1, -1)]
    return found


def _tolerance(word: Word) -> float:
    return _GUESSED_SECONDS if word.estimated else _AGREE_SECONDS


def _repeats(word: Word, kept: Sequence[Word]) -> bool:
    """Whether a word was kept already: by its text, or as something else at the same time."""
    for other in kept[-8:]:
        same = letters_of(word.text) == letters_of(other.text)
        if same and abs(word.start - other.start) <= _SAME_WORD_SECONDS:
            return True
        shared = min(word.end, other.end) - max(word.start, other.start)
        if shared > 0.49 * min(word.end - word.start, other.end - other.start):
            return True
    return False


def _moved(word: Word, seconds: float) -> Word:
    return replace(word, start=word.start + seconds, end=word.end + seconds)


def _middle(word: Word) -> float:
    return (word.start + word.end) / 2
