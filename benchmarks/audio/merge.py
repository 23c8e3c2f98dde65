"""How long it takes to tell who said which word of four hours: the product and two simple ways.

Run with ``python -m benchmarks.audio.merge``; a few seconds, no server, processor time only.
"""

import argparse
import json
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from spark_audio_proxy.merging.attribution import attribute
from spark_audio_proxy.speech import Diarization, SpeakerSegment, Word

MUST_SECONDS = 1.0
Labels = list[str | None]


def talk(hours: float, speakers: int) -> tuple[list[Word], Diarization, Labels]:
    """Return a meeting as the speech container answers it, and who really speaks."""
    random = np.random.default_rng(7)
    words: list[Word] = []
    truth: Labels = []
    segments: list[SpeakerSegment] = []
    now = 0.0
    while now < hours * 3600:
        who = f"Speaker_{random.integers(0, speakers)}"
        start = now
        for left in range(int(random.integers(2, 40)), 0, -1):
            length = 0.15 + 0.2 * random.random()
            stop = "." if left == 1 or random.random() < 0.08 else ""
            words.append(Word(f"w{random.integers(0, 4000)}{stop}", now, now + length))
            truth.append(who)
            now += length + 0.03
        edges = start + random.normal(0, 0.2), now + random.normal(0, 0.2)
        segments.append(SpeakerSegment(*edges, who, float(random.uniform(0.5, 1))))
        now += 0.6 * random.random()
    random.shuffle(segments)
    return words, Diarization(tuple(segments), now), truth


def gated(words: list[Word], diarization: Diarization) -> Labels:
    """Ours: evidence, votes of sentences, blocks, confidence, overlaps."""
    merged = attribute(words, diarization)
    original = {label: name for name, label in merged.labels.items()}
    return [original.get(word.speaker) for word in merged.words]


def midpoint(words: list[Word], diarization: Diarization) -> Labels:
    """The least one can do: the turn that began last before the middle of the word."""
    turns = sorted(diarization.segments, key=lambda turn: turn.start)
    starts = [turn.start for turn in turns]
    places = (bisect_right(starts, (word.start + word.end) / 2) - 1 for word in words)
    return [turns[max(place, 0)].speaker for place in places]


def summed(words: list[Word], diarization: Diarization) -> Labels:
    """As whisperX does it: every word against every turn, the largest sum of what is shared."""
    starts = np.array([turn.start for turn in diarization.segments])
    ends = np.array([turn.end for turn in diarization.segments])
    speakers = [turn.speaker for turn in diarization.segments]
    found: Labels = []
    for word in words:
        shared = np.minimum(ends, word.end) - np.maximum(starts, word.start)
        sums: defaultdict[str, float] = defaultdict(float)
        for place in np.flatnonzero(shared > 0):
            sums[speakers[place]] += shared[place]
        found.append(max(sums, key=lambda who: sums[who]) if sums else None)
    return found


WAYS: dict[str, Callable[[list[Word], Diarization], Labels]] = {
    "gated (ours)": gated,
    "midpoint": midpoint,
    "summed overlap": summed,
}


def main() -> int:
    """Print a row per way; return 1 when ours takes longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=4.0)
    parser.add_argument("--speakers", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    words, diarization, truth = talk(options.hours, options.speakers)
    print(f"{options.hours:g} h, {len(words)} words, {len(diarization.segments)} turns")
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    wrong: dict[str, float] = {}
    names = list(WAYS)
    for turn in range(options.rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            if name == "summed overlap" and len(seconds[name]) == 2:
                continue
            before = time.process_time()
            labels = WAYS[name](words, diarization)
            seconds[name].append(time.process_time() - before)
            misses = sum(mine != right for mine, right in zip(labels, truth, strict=True))
            wrong[name] = misses / len(truth)
    ours = median(seconds["gated (ours)"])
    print(f"{'way':16} {'CPU s':>8} {'x ours':>8} {'wrong words':>12}")
    for name, taken in seconds.items():
        spent = median(taken)
        print(f"{name:16} {spent:8.3f} {spent / ours:8.2f} {100 * wrong[name]:11.2f}%")
    met = ours <= MUST_SECONDS
    print(f"ours within {MUST_SECONDS:g} s: {'met' if met else 'NOT met'}")
    if options.json is not None:
        options.json.write_text(json.dumps({"seconds": seconds, "wrong": wrong}), encoding="utf-8")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
