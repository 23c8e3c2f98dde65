"""Conversations nobody had: who speaks when, over whom, and who joins late."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from spark_sim.speakclock.mixing import SpokenWord
from spark_sim.speakclock.tones import GAP_SECONDS, LEVEL

_WORDS = """
about after again always answer apple autumn because before begin better between bread bridge
bring careful change city clear cloud coffee cold corner count country dance day door dream early
earth east evening every family field find fire first follow forest friend garden gentle give
glass good green hand happy harbour hear heart hill house idea island journey keep kitchen know
ladder lake large learn letter light listen little long lunch market meadow mirror moment money
morning mountain music near never night north number ocean often open orange other paper peace
people picture place plant please question quick quiet rain ready reason river road room round
sail school season second seldom shadow shore silver simple sister slow small snow song south
spring stone story street strong summer sun table talk tell thank thing think time today tomorrow
tower town travel tree under until valley village voice wait walk warm water weather week well
west wheel white window winter wonder word work world write year yellow yesterday young
"""
VOCABULARY = tuple(_WORDS.split())


@dataclass(frozen=True)
class Speaker:
    """Who takes part, in which band, from when to when (seconds), and how much of it."""

    name: str
    band: int
    joins_at: float = 0.0
    leaves_at: float = float("inf")
    share: float = 1.0
    level: float = LEVEL


@dataclass(frozen=True)
class Turn:
    """What one speaker says without a break."""

    speaker: str
    words: tuple[SpokenWord, ...]

    @property
    def start(self) -> float:
        """When its first word begins."""
        return self.words[0].start

    @property
    def end(self) -> float:
        """When its last word ends."""
        return self.words[-1].end


def speakers(count: int) -> tuple[Speaker, ...]:
    """Return so many speakers who are there from the start to the end."""
    return tuple(Speaker(f"Speaker {chr(65 + band)}", band) for band in range(count))


@dataclass(frozen=True)
class Plan:
    """What a conversation is like; the same plan is always the same conversation."""

    seconds: float = 60.0
    speakers: tuple[Speaker, ...] = field(default_factory=lambda: speakers(2))
    overlap: float = 0.1
    """Share of the turns that begin while another one speaks."""
    overlap_seconds: tuple[float, float] = (0.3, 1.5)
    pause_seconds: tuple[float, float] = (0.2, 1.2)
    """Between two turns."""
    word_pause_seconds: tuple[float, float] = (0.02, 0.12)
    sentences: tuple[int, int] = (1, 3)
    """Of one turn."""
    words: tuple[int, int] = (3, 12)
    """Of one sentence."""
    vocabulary: Sequence[str] = VOCABULARY
    seed: int = 0


def converse(plan: Plan) -> list[Turn]:
    """Return the turns in the order in which they begin. Nobody speaks over himself."""
    chance = random.Random(plan.seed)  # noqa: S311 - no secret
    free = {speaker.name: 0.0 for speaker in plan.speakers}
    """Until when each of them speaks."""
    turns: list[Turn] = []
    last = ""
    at = chance.uniform(*plan.pause_seconds)
    while at < plan.seconds:
        there = [one for one in plan.speakers if one.joins_at <= at < one.leaves_at]
        speaker = _next(chance, there, last, free)
        if speaker is None:
            later = [one.joins_at for one in plan.speakers if one.joins_at > at]
            if not later:
                break
            at = min(later)
            continue
        last = speaker.name
        start = max(at, free[speaker.name] + 0.05)
        words = _turn(chance, plan, speaker, start)
        if not words:
            break
        turns.append(Turn(speaker.name, words))
        free[speaker.name] = words[-1].end
        if chance.random() < plan.overlap:
            at = max(words[-1].end - chance.uniform(*plan.overlap_seconds), start + 0.2)
        else:
            at = max(free.values()) + chance.uniform(*plan.pause_seconds)
    return sorted(turns, key=lambda turn: turn.start)


def words_of(turns: Sequence[Turn]) -> list[SpokenWord]:
    """Return all words in the order in which they begin."""
    return sorted((word for turn in turns for word in turn.words), key=lambda word: word.start)


def _next(
    chance: random.Random, there: Sequence[Speaker], last: str, free: dict[str, float]
) -> Speaker | None:
    """Choose who speaks: another one than before, and who has just come speaks soon."""
    if not there:
        return None
    silent = [one for one in there if free[one.name] == 0.0 and one.joins_at > 0]
    others = silent or [one for one in there if one.name != last] or list(there)
    return chance.choices(others, [one.share for one in others])[0]


def _turn(chance: random.Random, plan: Plan, speaker: Speaker, at: float) -> tuple[SpokenWord, ...]:
    """Return the words of a turn, as many as end within the conversation."""
    end = min(plan.seconds, speaker.leaves_at)
    words: list[SpokenWord] = []
    for _ in range(chance.randint(*plan.sentences)):
        count = chance.randint(*plan.words)
        texts = [chance.choice(plan.vocabulary) for _ in range(count)]
        texts[0] = texts[0].capitalize()
        texts[-1] += chance.choice((".", ".", ".", "?"))
        for text in texts:
            word = SpokenWord(text, round(at, 3), speaker.band, speaker.level, speaker.name)
            if word.end > end:
                return tuple(words)
            words.append(word)
            at = word.end + max(GAP_SECONDS, chance.uniform(*plan.word_pause_seconds))
    return tuple(words)
