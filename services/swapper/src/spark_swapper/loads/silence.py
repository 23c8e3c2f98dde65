"""When a load that shows no sign of life is given up. Pure."""

QUIET_STEPS = frozenset({"weights_loaded", "compile", "kv_cache", "autotune", "graphs"})
"""Steps in which vLLM computes for minutes and reads and says nothing."""
BUSY_CORES = 0.5
"""Computing less than this is waiting."""
READ_BYTES = 1024 * 1024
"""Reading less than this between two looks is not loading weights."""
_COMPUTING = 2.0
_HANGING = 0.5
_GPU_BUSY, _GPU_IDLE = 90, 5


class Silence:
    """Since when a load says nothing and reads nothing.

    Computing alone proves little, because a rank that hangs in NCCL computes with all its might:
    it doubles the patience, and only in the steps that are known to be quiet.
    """

    def __init__(self, now: float, stall_seconds: float) -> None:
        self._since = now
        self._stall_seconds = stall_seconds

    def broken(self, now: float) -> None:
        """Something was said or read."""
        self._since = now

    def seconds(self, now: float) -> float:
        """Return for how long."""
        return now - self._since

    def worth_a_closer_look(self, now: float) -> bool:
        """Say whether it lasts long enough to ask the GPUs too."""
        return self.seconds(now) >= self._stall_seconds * _HANGING / 2

    def over(self, now: float, *, milestone: str | None, cores: float | None) -> bool:
        """Say whether the patience is used up; ``cores`` were busy since the last look."""
        computing = milestone in QUIET_STEPS and cores is not None and cores >= BUSY_CORES
        return self.seconds(now) >= self._stall_seconds * (_COMPUTING if computing else 1.0)

    def hanging(self, now: float, gpu_percents: list[int | None]) -> bool:
        """Say whether one Spark waits with all its might for another that does nothing."""
        if self.seconds(now) < self._stall_seconds * _HANGING:
            return False
        known = [percent for percent in gpu_percents if percent is not None]
        if len(known) < 2 or len(known) != len(gpu_percents):
            return False
        return max(known) >= _GPU_BUSY and min(known) <= _GPU_IDLE
