"""How many words get the wrong speaker where clocks, turns or words are not as they should be.

Run with ``python -m benchmarks.audio.variants``; made-up talks whose speakers are known.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from benchmarks.audio.merge import WAYS, Labels, talk

from spark_audio_proxy.speech import Diarization, SpeakerSegment, Word

Case = tuple[list[Word], Diarization, Labels]
Change = Callable[[Case], Case]


def moved(seconds: float) -> Change:
    """The diarizer's clock is off by so much."""
    return _turns(lambda turn: replace(turn, start=turn.start + seconds, end=turn.end + seconds))


def longer(seconds: float) -> Change:
    """Turns begin so much too early and end so much too late: neighbours overlap."""
    return _turns(lambda turn: replace(turn, start=turn.start - seconds, end=turn.end + seconds))


def unsure(case: Case) -> Case:
    """The diarizer says nothing of how sure it is."""
    return _turns(lambda turn: replace(turn, confidence=None))(case)


def crumbs(case: Case) -> Case:
    """Somebody else is heard for a moment, three times a minute, without having said a thing."""
    words, found, truth = case
    random = np.random.default_rng(5)
    turns = list(found.segments)
    for _ in range(int(found.duration / 20)):
        start, who = random.uniform(0, found.duration), f"Speaker_{random.integers(0, 6)}"
        sure = float(random.uniform(0.35, 0.7))
        turns.append(SpeakerSegment(start, start + random.uniform(0.2, 0.8), who, sure))
    return words, replace(found, segments=tuple(turns)), truth


def asides(case: Case) -> Case:
    """Every thirtieth word is a short one of somebody else, who is heard surely."""
    words, found, truth = list(case[0]), case[1], list(case[2])
    turns = list(found.segments)
    for place in range(15, len(words), 30):
        who = f"Speaker_{(int(str(truth[place])[-1]) + 1) % 6}"
        words[place] = replace(words[place], text="Yes.")
        truth[place] = who
        turns.append(SpeakerSegment(words[place].start, words[place].end, who, 0.9))
    return words, replace(found, segments=tuple(turns)), truth


def _turns(change: Callable[[SpeakerSegment], SpeakerSegment]) -> Change:
    def changed(case: Case) -> Case:
        words, found, truth = case
        return words, replace(found, segments=tuple(map(change, found.segments))), truth

    return changed


VARIANTS: dict[str, Change] = {
    "as it is": lambda case: case,
    "turns 0.2 s late": moved(0.2),
    "turns 0.4 s early": moved(-0.4),
    "turns 0.5 s longer": longer(0.5),
    "no confidence": unsure,
    "crumbs": crumbs,
    "asides": asides,
}


def main() -> int:
    """Print a row per variant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    options = parser.parse_args()
    print(f"{'wrong words':20}", *(f"{name:>15}" for name in WAYS))
    for name, change in VARIANTS.items():
        words, found, truth = change(talk(options.hours, 6))
        row = []
        for way in WAYS.values():
            labels = way(words, found)
            misses = sum(mine != right for mine, right in zip(labels, truth, strict=True))
            row.append(f"{100 * misses / len(truth):14.2f}%")
        print(f"{name:20}", *row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
