"""How much speaks for which speaker of each word, before the sentences have their say."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from spark_audio_proxy.merging.probabilities import FrameEvidence
from spark_audio_proxy.merging.rules import MergeRules
from spark_audio_proxy.merging.tracks import Floats, SpeakerTrack

NOBODY = -1
_SAME = 1e-6
"""Seconds by which two speakers may differ and still tie."""

Indices = NDArray[np.int64]


class Evidence:
    """Weighs speakers, by their index in ``tracks``, against words given as spans."""

    def __init__(
        self,
        tracks: list[SpeakerTrack],
        frames: FrameEvidence | None,
        starts: Floats,
        ends: Floats,
        rules: MergeRules,
    ) -> None:
        self._tracks = tracks
        self._frames = frames
        self._starts = starts
        self._ends = ends
        self._rules = rules
        self._by_frames = (
            frames.usable if frames is not None else np.zeros(len(starts), dtype=np.bool_)
        )
        self._total = np.zeros(len(starts))
        for index in range(len(tracks)):
            self._total += self._seconds(index)

    def winners(self) -> Indices:
        """Return the speaker with most of each word, else the nearest one, else ``NOBODY``."""
        best = np.full(len(self._starts), -np.inf)
        winner = np.full(len(self._starts), NOBODY, dtype=np.int64)
        tied = np.zeros(len(self._starts), dtype=np.bool_)
        for index in range(len(self._tracks)):
            score = self._score(index)
            tied = ~(score > best + _SAME) & (tied | (score >= best - _SAME))
            winner = np.where(score > best + _SAME, index, winner)
            best = np.maximum(best, score)
        winner[best < -self._rules.nearest_seconds - _SAME] = NOBODY
        self._settle_ties(winner, best, np.flatnonzero(tied & (winner != NOBODY)))
        return winner

    def strength(self, speakers: Indices) -> Floats:
        """Return 0 to 1 per word: how surely that speaker, and only that one, says it."""
        strength = np.zeros(len(self._starts))
        for index, mine in self._chosen(speakers):
            spoken = self._seconds(index)[mine]
            share = spoken / np.maximum(self._total[mine], 1e-9)
            filled = np.minimum(1.0, spoken / (self._ends[mine] - self._starts[mine]) + 0.5)
            sure = self._tracks[index].confidence(self._starts[mine], self._ends[mine])
            sure = np.where(self._by_frames[mine], 1.0, sure)
            strength[mine] = sure * share * filled
        return np.clip(strength, 0.0, 1.0)

    def seconds_of(self, speakers: Indices) -> Floats:
        """Return per word for how long the speaker that was chosen for it speaks."""
        spoken = np.zeros(len(self._starts))
        for index, mine in self._chosen(speakers):
            spoken[mine] = self._seconds(index)[mine]
        return spoken

    def seconds(self) -> Floats:
        """Return for how long anybody at all speaks during each word, all speakers added up."""
        return self._total

    def seconds_beside(self, speakers: Indices) -> tuple[Indices, Floats]:
        """Return per word who speaks most of it besides the chosen speaker, and for how long."""
        most = np.zeros(len(self._starts))
        who = np.full(len(self._starts), NOBODY, dtype=np.int64)
        for index in range(len(self._tracks)):
            spoken = np.where(speakers == index, 0.0, self._seconds(index))
            who = np.where(spoken > most + _SAME, index, who)
            most = np.maximum(most, spoken)
        return who, most

    def _chosen(self, speakers: Indices) -> list[tuple[int, NDArray[np.bool_]]]:
        return [(int(index), speakers == index) for index in np.unique(speakers) if index >= 0]

    def _seconds(self, index: int) -> Floats:
        track = self._tracks[index]
        spoken = track.overlap(self._starts, self._ends)
        if self._frames is None:
            return spoken
        return np.where(self._by_frames, self._frames.seconds(track.speaker), spoken)

    def _score(self, index: int) -> Floats:
        spoken = self._seconds(index)
        return np.where(spoken > 0, spoken, -self._tracks[index].distance(self._starts, self._ends))

    def _settle_ties(self, winner: Indices, best: Floats, tied: Indices) -> None:
        """Let the speaker of the word before go on, else the one whose turn began earlier."""
        if not tied.size:
            return
        mask = np.zeros(len(winner), dtype=np.bool_)
        mask[tied] = True
        equal = [
            np.abs(self._score(i)[mask] - best[mask]) <= _SAME for i in range(len(self._tracks))
        ]
        for place, word in enumerate(tied):
            level = [index for index, same in enumerate(equal) if same[place]]
            before = winner[word - 1] if word else NOBODY
            winner[word] = before if before in level else min(level, key=self._began_at(int(word)))

    def _began_at(self, word: int) -> Callable[[int], float]:
        start, end = float(self._starts[word]), float(self._ends[word])
        return lambda index: self._tracks[index].began(start, end)
