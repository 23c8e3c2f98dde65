"""Words as an upstream gives them become words that can be merged: in order, with a length."""

from collections.abc import Iterable
from dataclasses import replace

from spark_audio_proxy.speech import Word, is_time
from spark_audio_proxy.words.joining import tidied

SHORTEST = 0.04
"""Seconds that a word lasts at least."""


def tidy_words(words: Iterable[Word]) -> list[Word]:
    """Return the words sorted by start, end and given order, empty ones dropped.

    A word without a possible start begins where the one before it ended.
    """
    kept: list[Word] = []
    reached = 0.0
    for word in words:
        text = tidied(word.text)
        if not text:
            continue
        start = max(word.start, 0.0) if is_time(word.start) else reached
        end = max(word.end, start + SHORTEST) if is_time(word.end) else start + SHORTEST
        if text != word.text or start != word.start or end != word.end:
            word = replace(word, text=text, start=start, end=end)
        kept.append(word)
        reached = end
    return sorted(kept, key=lambda word: (word.start, word.end))
