"""How fast sound is worked off, learned from what was done: the base of every promise of time."""

from collections import defaultdict
from typing import Final

from spark_audio_proxy.metrics import RTF

START: Final = 15.0
"""Seconds of sound per second, before anything was measured."""
_WEIGHT: Final = 0.2
_LEAST, _MOST = 0.5, 500.0


class Pace:
    """Smoothed speed per operation."""

    def __init__(self) -> None:
        self._speed: defaultdict[str, float] = defaultdict(lambda: START)

    def done(self, op: str, sound_seconds: float, took_seconds: float) -> None:
        """Learn from one call; very short ones say little and count less."""
        if took_seconds <= 0 or sound_seconds <= 0:
            return
        speed = min(_MOST, max(_LEAST, sound_seconds / took_seconds))
        weight = _WEIGHT * min(1.0, sound_seconds / 10.0)
        self._speed[op] += weight * (speed - self._speed[op])
        RTF.labels(op).set(self._speed[op])

    def seconds_for(self, sound_seconds: float) -> float:
        """Return how long this much sound will take, by the slowest operation that is known."""
        return sound_seconds / min(self._speed.values(), default=START)
