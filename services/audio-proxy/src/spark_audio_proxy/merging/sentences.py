"""Sentences vote on the speaker of their words, gated by what each word has for itself."""

from collections import defaultdict
from collections.abc import Sequence

from spark_audio_proxy.merging.evidence import NOBODY
from spark_audio_proxy.merging.rules import MergeRules
from spark_audio_proxy.speech import Word

_ENDS = tuple(".?!…")
_CLOSERS = "\"'\u201d\u2019»)]}"
_TITLES = frozenset({"mr.", "mrs.", "ms.", "dr.", "prof.", "st.", "vs."})
"""They end with a point and no sentence does with them."""
_FLOOR = 0.05
"""The weight of a word for which nothing speaks."""


def ends_sentence(text: str) -> bool:
    """Whether a sentence ends with this word, also inside quotes and brackets."""
    bare = text.rstrip(_CLOSERS)
    return bare.endswith(_ENDS) and bare.lower() not in _TITLES


def sentences(words: Sequence[Word], rules: MergeRules) -> list[range]:
    """Return the words of each sentence as ranges that cover all words in order."""
    found: list[range] = []
    first = 0
    spoken_until = 0.0
    for index, word in enumerate(words):
        pause = index > first and word.start - spoken_until > rules.gap_seconds
        if pause or index - first >= rules.sentence_words:
            found.append(range(first, index))
            first = index
        spoken_until = max(spoken_until, word.end)
        if ends_sentence(word.text):
            found.append(range(first, index + 1))
            first = index + 1
    if first < len(words):
        found.append(range(first, len(words)))
    return found


def voted(
    spans: Sequence[range],
    speakers: Sequence[int],
    strength: Sequence[float],
    rules: MergeRules,
) -> list[int]:
    """Return the speakers after each sentence's vote; nobody's words neither vote nor change.

    A sentence that is wholly one speaker's is that speaker's majority, so it never flips.
    """
    settled = list(speakers)
    for span in spans:
        votes: defaultdict[int, float] = defaultdict(float)
        for index in span:
            if speakers[index] != NOBODY:
                votes[speakers[index]] += strength[index] + _FLOOR
        if len(votes) < 2:
            continue
        leader = max(votes, key=lambda speaker: votes[speaker])
        if votes[leader] <= rules.majority * sum(votes.values()):
            continue
        for index in span:
            if speakers[index] != NOBODY and strength[index] < rules.flip_below:
                settled[index] = leader
    return settled


def absorbed(
    words: Sequence[Word], speakers: Sequence[int], known: Sequence[bool], rules: MergeRules
) -> list[int]:
    """Return the speakers with single words that nobody covers given to equal neighbours.

    ``known`` says for which words somebody was heard at all.
    """
    settled = list(speakers)
    for index in range(1, len(words) - 1):
        before, after = settled[index - 1], speakers[index + 1]
        close = (
            words[index].start - words[index - 1].end <= rules.gap_seconds
            and words[index + 1].start - words[index].end <= rules.gap_seconds
        )
        if not known[index] and close and before == after != NOBODY:
            settled[index] = before
    return settled
