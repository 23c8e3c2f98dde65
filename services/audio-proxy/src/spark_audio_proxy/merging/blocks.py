"""Words with speakers become blocks: one speaker, no long silence, not endless."""

from collections.abc import Sequence

from spark_audio_proxy.merging.rules import MergeRules
from spark_audio_proxy.merging.sentences import ends_sentence
from spark_audio_proxy.speech import Block, Word
from spark_audio_proxy.words.joining import joined


def blocks_of(
    words: Sequence[Word], rules: MergeRules, channel: str | None = None
) -> tuple[Block, ...]:
    """Return every word once, in order; words must be sorted by start."""
    found: list[Block] = []
    current: list[Word] = []
    spoken_until = 0.0
    for word in words:
        if current and _breaks(current, spoken_until, word, rules):
            found.append(block_of(current, channel))
            current = []
        spoken_until = max(spoken_until, word.end) if current else word.end
        current.append(word)
    if current:
        found.append(block_of(current, channel))
    return tuple(found)


def block_of(words: Sequence[Word], channel: str | None = None) -> Block:
    """Return the block of some words of one speaker, at least one."""
    speaker = words[0].speaker
    return Block(
        start=words[0].start,
        end=max(word.end for word in words),
        speaker=speaker,
        text=joined(word.text for word in words),
        confidence=_confidence(words) if speaker is not None else None,
        words=tuple(words),
        overlap=any(word.overlap for word in words),
        channel=channel,
    )


def _breaks(current: list[Word], spoken_until: float, word: Word, rules: MergeRules) -> bool:
    if word.speaker != current[0].speaker or word.start - spoken_until > rules.gap_seconds:
        return True
    long = (
        spoken_until - current[0].start > rules.long_block_seconds
        or len(current) >= rules.long_block_words
    )
    return long and ends_sentence(current[-1].text)


def _confidence(words: Sequence[Word]) -> float:
    total = sum(word.end - word.start for word in words)
    weighted = sum((word.confidence or 0.0) * (word.end - word.start) for word in words)
    return weighted / total if total > 0 else 0.0
