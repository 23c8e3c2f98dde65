"""How much speaks for which speaker of each word, before the sentences have their say."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from spark_audio_proxy.merging.probabilities import FrameEvidence
from spark_audio_proxy.merging.rules import MergeRules
from spark_audio_proxy.merging.shares import Share, shares_of
from spark_audio_proxy.merging.tracks import Floats, SpeakerTrack

NOBODY = -1
_SAME = 1e-6
"""Seconds by which two speakers may differ and still tie."""

Indices = NDArray[np.int64]


class Evidence:
    """Weighs speakers, by their index in ``tracks``, against words sorted by start."""

    def __init__(
        self,
        tracks: Sequence[SpeakerTrack],
        frames: FrameEvidence | None,
        starts: Floats,
        ends: Floats,
        rules: MergeRules,
    ) -> None:
        self._starts = starts
        self._ends = ends
        self._rules = rules
        self._shares = shares_of(tracks, frames, starts, ends, rules.nearest_seconds + _SAME)
        self._by_frames = (
            frames.usable if frames is not None else np.zeros(len(starts), dtype=np.bool_)
        )
        self._total = np.zeros(len(starts))
        for share in self._shares:
            self._total[share.span] += share.seconds

    def winners(self) -> Indices:
        """Return the speaker with most of each word, else the nearest one, else ``NOBODY``."""
        best = np.full(len(self._starts), -np.inf)
        winner = np.full(len(self._starts), NOBODY, dtype=np.int64)
        tied = np.zeros(len(self._starts), dtype=np.bool_)
        for share in self._shares:
            span, score = share.span, self._score(share)
            leads = score > best[span] + _SAME
            tied[span] = ~leads & (tied[span] | (score >= best[span] - _SAME))
            winner[span] = np.where(leads, share.index, winner[span])
            best[span] = np.maximum(best[span], score)
        winner[best < -self._rules.nearest_seconds - _SAME] = NOBODY
        self._settle_ties(winner, best, np.flatnonzero(tied & (winner != NOBODY)))
        return winner

    def strength(self, speakers: Indices) -> Floats:
        """Return 0 to 1 per word: how surely that speaker, and only that one, says it."""
        strength = np.zeros(len(self._starts))
        for share in self._shares:
            mine = speakers[share.span] == share.index
            starts, ends = self._starts[share.span][mine], self._ends[share.span][mine]
            spoken = share.seconds[mine]
            portion = spoken / np.maximum(self._total[share.span][mine], 1e-9)
            filled = np.minimum(1.0, spoken / (ends - starts) + 0.5)
            sure = np.where(
                self._by_frames[share.span][mine], 1.0, share.track.confidence(starts, ends)
            )
            strength[share.span][mine] = sure * portion * filled
        return np.clip(strength, 0.0, 1.0)

    def seconds_of(self, speakers: Indices) -> Floats:
        """Return per word for how long the speaker that was chosen for it speaks."""
        spoken = np.zeros(len(self._starts))
        for share in self._shares:
            mine = speakers[share.span] == share.index
            spoken[share.span][mine] = share.seconds[mine]
        return spoken

    def seconds(self) -> Floats:
        """Return for how long anybody at all speaks during each word, all speakers added up."""
        return self._total

    def seconds_beside(self, speakers: Indices) -> tuple[Indices, Floats]:
        """Return per word who speaks most of it besides the chosen speaker, and for how long."""
        most = np.zeros(len(self._starts))
        who = np.full(len(self._starts), NOBODY, dtype=np.int64)
        for share in self._shares:
            span = share.span
            spoken = np.where(speakers[span] == share.index, 0.0, share.seconds)
            who[span] = np.where(spoken > most[span] + _SAME, share.index, who[span])
            most[span] = np.maximum(most[span], spoken)
        return who, most

    def _score(self, share: Share) -> Floats:
        away = share.track.distance(self._starts[share.span], self._ends[share.span])
        return np.where(share.seconds > 0, share.seconds, -away)

    def _settle_ties(self, winner: Indices, best: Floats, tied: Indices) -> None:
        """Let the speaker of the word before go on, else the one whose turn began earlier."""
        if not tied.size:
            return
        level: dict[int, list[int]] = {word: [] for word in tied.tolist()}
        for share in self._shares:
            near = tied[(tied >= share.span.start) & (tied < share.span.stop)]
            scores = self._score(share)[near - share.span.start]
            for word in near[scores >= best[near] - _SAME].tolist():
                level[word].append(share.index)
        for word, equal in level.items():
            before = int(winner[word - 1]) if word else NOBODY
            winner[word] = before if before in equal else min(equal, key=self._began_at(word))

    def _began_at(self, word: int) -> Callable[[int], float]:
        start, end = float(self._starts[word]), float(self._ends[word])
        return lambda index: self._shares[index].track.began(start, end)
